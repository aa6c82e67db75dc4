"""benchmarks/recipes.py: times to a goal, and trainings that end in time."""

import numpy as np
import pytest

from benchmarks import recipes
from pendulum_tensor import POST_BOX, TRAINING_BOX


def test_the_time_to_a_goal_is_that_of_the_first_record_below_it():
    run = np.array([[1.0, 1.5e-3, 0], [2.0, 1e-3, 0], [3.0, 2e-3, 0], [4.0, 1e-4, 0]])
    assert [recipes.seconds_to(goal, run) for goal in (1e-3, 1e-4, 1e-5)] == [2.0, 4.0, None]


def test_seeds_that_never_reach_the_goal_are_counted():
    assert recipes.in_words([1.0, 3.0]) == "2.00 s"
    assert recipes.in_words([1.0, None, None]) == "1.00 s for 1 of 3 seeds, never for others"
    assert recipes.in_words([None]) == "never"


def test_adam_is_given_our_box_and_the_posts_recipe_its_own(monkeypatch):
    given = []
    monkeypatch.setattr(recipes, "train_as_post", lambda states, *_, **__: given.append(abs(states).max(0).values))
    recipes.adam_on_our_box(0, None)
    recipes.post(0, None)
    np.testing.assert_allclose(given, [TRAINING_BOX, POST_BOX], rtol=0.01)


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_each_recipe_is_measured_from_its_start_to_the_end_of_its_time(name, monkeypatch):
    monkeypatch.setattr(recipes, "SECONDS", 0.3)
    monkeypatch.setattr(recipes, "STATES", 60)
    run = recipes.timed_run(recipes.RECIPES[name][0], 0)
    assert run.shape[1] == 3 and (np.diff(run[:, 0]) > 0).all() and run[-1, 0] >= 0.3 and (run[:, 1:] > 0).all()
