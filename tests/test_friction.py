"""Friction, found in exact and in noisy motion; recordings of a damped spring, whose motion is known in closed form."""

import math

import numpy as np
import pytest
import torch

from motion import choosing, learn, train_on_motion
from motion.rollout import Roller
from motion.rows import Rows
from support.exact import exact_motion

GAMMA = 0.2
STARTS = np.random.default_rng(0).uniform(-1, 1, size=(40, 2))


def damped(starts, t, gamma=GAMMA):
    """q and p = dq/dt, (T, B) each, of d²q/dt² = −q − γ dq/dt from the starts (B, 2)."""
    q, p = np.transpose(starts)
    t, omega = np.asarray(t)[:, None], math.sqrt(1 - gamma**2 / 4)
    c, s, fallen = np.cos(omega * t), np.sin(omega * t) / omega, np.exp(-gamma * t / 2)
    return fallen * (q * (c + gamma / 2 * s) + p * s), fallen * (p * (c - gamma / 2 * s) - q * s)


def with_noise(values, noise, seed=0):
    return values + noise * np.random.default_rng(seed).normal(size=np.shape(values))


def recording(n=1500, dt=0.1, noise=0.01, gamma=0.04, start=(1.0, 0.0)):
    """Rows of the angle alone."""
    t = dt * np.arange(n)
    q, _ = damped([start], t, gamma)
    return Rows(t, with_noise(q, noise), None, dt, [slice(0, n)], True, [])


@pytest.fixture
def one_way(monkeypatch):
    """A window that serves every record here, judged by three parts, so that learning takes a second."""
    monkeypatch.setattr(choosing, "WINDOWS", [0.8])
    monkeypatch.setattr(choosing, "PARTS", 3)


@pytest.fixture(scope="module")
def of_damped():
    return train_on_motion(*damped(STARTS, 0.1 * np.arange(11)), 0.1, epochs=4)


def test_friction_of_exact_motion_is_exact_and_so_is_the_motion(of_damped):
    assert of_damped.knows["friction"] == pytest.approx(GAMMA, abs=1e-6) and of_damped.knows["dt"] == 0.1
    t = 0.1 * np.arange(201)
    orbit = Roller(of_damped).roll_out(np.array([[0.6, 0.0], [0.0, -0.5]]), 200)
    np.testing.assert_allclose(orbit.transpose(2, 0, 1), damped([[0.6, 0.0], [0.0, -0.5]], t), rtol=0, atol=2e-4)
    between = np.array([0.0, 0.03, 1.234, 7.77])
    np.testing.assert_allclose(
        Roller(of_damped).orbit_at(np.array([[0.6, 0.0]]), between)[:, 0].T,
        np.array(damped([[0.6, 0.0]], between))[..., 0],
        rtol=0,
        atol=2e-4,
    )


def test_motion_without_friction_has_none_to_the_last_bit():
    record = damped(STARTS, 0.1 * np.arange(11), gamma=0.0)
    found, said = train_on_motion(*record, 0.1, epochs=2), train_on_motion(*record, 0.1, friction=0, epochs=2)
    assert "friction" not in found.knows and "friction" not in said.knows
    assert all(torch.equal(a, b) for a, b in zip(found.parameters(), said.parameters(), strict=True))
    noisy = train_on_motion(*with_noise(record, 0.01), 0.1, epochs=0)
    assert "friction" not in noisy.knows and noisy.friction_error > 0


def test_friction_is_found_under_noise_and_not_taken_for_it():
    record = with_noise(damped(STARTS, 0.1 * np.arange(41)), 0.01)
    model = train_on_motion(*record, 0.1, epochs=0)
    assert model.knows["friction"] == pytest.approx(GAMMA, rel=0.03)
    assert 0 < model.friction_error < 0.03 * GAMMA


def test_friction_that_is_said_is_taken_and_only_a_positive_number():
    record = damped(STARTS, 0.1 * np.arange(11))
    assert train_on_motion(*record, 0.1, friction=0.17, epochs=0).knows["friction"] == 0.17
    for wrong in (-0.1, math.nan, math.inf, "much"):
        with pytest.raises(ValueError, match="friction must be a number above 0"):
            train_on_motion(*record, 0.1, friction=wrong)


def test_a_noisy_angle_teaches_friction_period_and_future(one_way):
    rows = recording()
    learned = learn(rows, epochs=0)
    assert learned.friction == pytest.approx(0.04, rel=0.03)
    assert 0.01 * learned.friction < learned.model.friction_error < 0.003  # smoothing errs by a hundredth
    assert learned.swings == pytest.approx(150 / (2 * math.pi), rel=0.02)
    assert learned.noise == pytest.approx(0.01, rel=0.1)
    unseen = np.isfinite(learned.predicted[:, 0])
    assert unseen[1201:].all() and not unseen[:1200].any()
    misses = learned.predicted[unseen] - rows.q[unseen]
    assert learned.error == pytest.approx(np.sqrt(np.mean(misses**2)))
    assert learned.error < 0.015 and learned.deviation > 0.02
    t = np.linspace(0.05, 12, 40)
    q, p = learned.predict(t)
    np.testing.assert_allclose((q, p), damped([[1.0, 0.0]], rows.t[-1] + t, 0.04), rtol=0, atol=0.01)


def test_friction_that_stops_the_swing_within_a_few_of_them_is_found(one_way):
    learned = learn(recording(n=260, noise=0.002, gamma=0.3), epochs=0)  # to a fiftieth in four swings
    assert learned.friction == pytest.approx(0.3, rel=0.03)


def test_an_orbit_without_a_next_step_is_nan_from_there(of_damped):
    roller = Roller(of_damped)
    step, roller.step = roller.step, lambda t, *state: step(t, *state) if t < 0.35 else 1 // 0
    orbit = roller.roll_out(np.array([[0.6, 0.0]]), 9)
    assert np.isfinite(orbit[:5]).all() and np.isnan(orbit[5:]).all()


def test_a_swing_that_keeps_its_amplitude_is_learned_too(one_way):
    """Its states lie on one curve, so that data alone do not say what K is beside it."""
    q, _ = exact_motion(np.array([2.0]), np.array([0.0]), 750, 0.03)
    rows = Rows(0.03 * np.arange(600), with_noise(q[:600], 0.005), None, 0.03, [slice(0, 600)], True, [])
    learned = learn(rows)
    assert learned.friction == 0 and learned.error < 0.01
    np.testing.assert_allclose(learned.predict(0.03 * np.arange(1, 151))[0], q[600:], rtol=0, atol=0.02)


def test_the_unseen_fifth_is_unseen(one_way):
    rows, other = recording(400), recording(400)
    other.q[320:] = with_noise(rows.q[320:], 0.01, seed=5)
    partial, same = (learn(one, epochs=0).partial for one in (rows, other))
    assert all(torch.equal(a, b) for a, b in zip(partial.parameters(), same.parameters(), strict=True))


@pytest.mark.parametrize("most, dt", [(20_000, 0.1), (453, 0.2)])
def test_exact_rows_with_p_are_taken_as_they_are_and_some_of_many(monkeypatch, most, dt):
    monkeypatch.setattr("motion.states.MOST_STATES", most)
    t = np.delete(0.1 * np.arange(152), 77)
    learned = learn(Rows(t, *damped(STARTS[:6], t), 0.1, [slice(0, 151)], True, []), epochs=0)
    assert learned.sampling.half is None and learned.model.knows["dt"] == pytest.approx(dt)
    assert learned.friction == pytest.approx(GAMMA, abs=1e-5)
    assert learned.noise <= learned.error < 1e-3 * learned.deviation


@pytest.mark.parametrize(
    "q, message",
    [
        (0.01 * np.random.default_rng(0).normal(size=(300, 1)), "is noise"),
        (np.ones((300, 1)), "at rest"),
        (np.cumsum(np.random.default_rng(1).normal(size=(600, 1)), axis=0), "no motion|no better|one swing"),
        (np.cos(0.1 * np.arange(31))[:, None], "one swing long, or less"),
    ],
)
def test_what_is_no_motion_or_too_little_is_refused(q, message, one_way):
    with pytest.raises(ValueError, match=message):
        learn(Rows(0.1 * np.arange(len(q)), q, None, 0.1, [slice(0, len(q))], True, []), epochs=0)
