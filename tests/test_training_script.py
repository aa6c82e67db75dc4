"""The training script: each recipe has its own data and loop, and what is said of weights is true."""

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import run_script

import dist_dynamic
import hnn_training
import rigid_simulator_HNN
from HNN import CHECKPOINT, load_hnn
from hnn_training import EPOCHS, POST_EPOCHS
from pendulum_tensor import POST_BOX, TRAINING_BOX, sample_states
from support.trust import judge_derivatives


def test_the_first_line_names_the_weights_and_how_far_to_trust_them(folder, slower):
    outcome = run_script(rigid_simulator_HNN.main, "--steps 3")
    first = outcome.out.splitlines()[0]
    assert first.startswith(f"Weights {CHECKPOINT}, on |q| ≤ 3.14, |p| ≤ 7: derivative MSE ")
    mse, H_error = rigid_simulator_HNN.measure(load_hnn())
    assert first.endswith(f"derivative MSE {mse:.1e}, relative L2 error of H {H_error:.1e}")
    Path(CHECKPOINT.name).write_bytes(slower.read_bytes())
    first = run_script(rigid_simulator_HNN.main, "--steps 3").out.splitlines()[0]
    assert first.startswith(f"Weights {CHECKPOINT.name}, ") and "Warning: a poor fit of this pendulum" in first
    first = run_script(dist_dynamic.main, f"--steps 1 --points 9 --weights {CHECKPOINT}").out.splitlines()[0]
    assert first.startswith(f"Weights {CHECKPOINT}, ") and "Warning" not in first


@pytest.mark.parametrize("factor, warns", [(1.0001, False), (1.001, True), (float("nan"), True)])
def test_a_poor_fit_is_warned_of_and_no_other(model, factor, warns):
    weights = model.state_dict()
    weights["linear_block.4.weight"] = factor * weights["linear_block.4.weight"]
    other = type(model)().double()
    other.load_state_dict(weights)

    assert ("Warning: a poor fit" in judge_derivatives(*rigid_simulator_HNN.measure(other))) == warns


@pytest.mark.parametrize("recipe, box, n", [("default", TRAINING_BOX, 125), ("post", POST_BOX, 100)])
def test_each_recipe_trains_in_its_own_box_and_says_how_well(folder, monkeypatch, recipe, box, n):
    given = []

    def fit(states, true_derivatives, epochs, seed, device, on_epoch, **more):
        given.append((states, epochs, seed, device, more))
        for epoch in range(epochs + 1):
            on_epoch(epoch, 0.5, None if recipe == "post" else 0.25, None)
        return load_hnn()

    monkeypatch.setattr(hnn_training, "train_as_post" if recipe == "post" else "train", fit)
    arguments = f"--recipe {recipe} --points 100 --epochs 200 --seed 4 --output w.pth --device x"
    outcome = run_script(hnn_training.main, arguments)
    assert outcome.status == 0, outcome.err
    ((states, epochs, seed, device, more),) = given
    assert (len(states), epochs, seed, device) == (n, 200, 4, "x")
    np.testing.assert_allclose(abs(states).max(0).values, box, rtol=0.05)
    assert more == ({} if recipe == "post" else {"period": 2 * np.pi})
    lines = outcome.out.splitlines()
    if recipe == "post":
        assert lines[:3] == [f"Epoch: {epoch} Loss: 5.000e-01" for epoch in (0, 100, 200)]
    else:
        assert lines[0] == "Epoch: 0 Loss: 5.000e-01 Validation loss: 2.500e-01" and len(lines) == 203
    assert lines[-2] == "Wrote w.pth" and "derivative MSE" in lines[-1]
    weights = torch.load("w.pth", weights_only=True)
    assert all(torch.equal(value, weights[key]) for key, value in load_hnn().state_dict().items())


def test_another_seed_gives_other_data_and_another_network(folder, monkeypatch):
    given, train = [], hnn_training.train
    monkeypatch.setattr(hnn_training, "train", lambda *data, **how: given.append(data) or train(*data, **how))
    for seed in (1, 2):
        outcome = run_script(hnn_training.main, f"--epochs 1 --points 40 --seed {seed} --output {seed}.pth")
        assert outcome.status == 0, outcome.err
    assert not np.array_equal(given[0][0], given[1][0])
    weights = [load_hnn(f"{seed}.pth").linear_block[2].weight for seed in (1, 2)]
    assert not np.allclose(*(weight.detach() for weight in weights))


def test_what_is_trained_on_a_device_is_trained_there(monkeypatch):
    monkeypatch.setattr("support.data.usable_device", torch.device)
    x = torch.zeros(20, 2)
    with pytest.raises(RuntimeError, match="meta tensors"):  # no number comes from there
        hnn_training.train(x, x, device="meta")


@pytest.mark.parametrize(
    ("recipe", "name", "epochs"), [("default", "train", EPOCHS), ("post", "train_as_post", POST_EPOCHS)]
)
def test_each_recipe_has_its_own_epochs_and_the_seed_draws_its_states(folder, monkeypatch, recipe, name, epochs):
    given = []

    def fit(states, derivatives, **how):
        given.append((states, how["epochs"]))
        return load_hnn()

    monkeypatch.setattr(hnn_training, name, fit)
    outcome = run_script(hnn_training.main, f"--recipe {recipe} --seed 4 --output w.pth")
    assert outcome.status == 0, outcome.err
    ((states, n),) = given
    assert (n, epochs) in [(9, 9), (1200, 1200)]
    assert len(states) == (1000 if recipe == "post" else 1250)
    if recipe == "post":
        assert torch.equal(states, sample_states(1000, POST_BOX, 4))
