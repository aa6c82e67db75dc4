"""The training script: each recipe has its own data, loop and file, and what is said of weights is true."""

import numpy as np
import pytest
import torch
from helpers import run_script

import hnn_training
from HNN import load_hnn
from pendulum_tensor import POST_BOX, TRAINING_BOX, sample_states
from support.data import TrainingData

OURS, POST = "hamiltonian_nn_1.pth", "hamiltonian_nn_post.pth"


@pytest.mark.parametrize(
    "recipe, box, n, epochs, file", [("default", TRAINING_BOX, 1250, 9, OURS), ("post", POST_BOX, 1000, 1200, POST)]
)
def test_each_recipe_trains_in_its_own_box_and_writes_its_own_file(folder, monkeypatch, recipe, box, n, epochs, file):
    given, is_post = [], recipe == "post"

    def fit(states, true_derivatives, on_epoch, **how):
        given.append((states, how))
        for epoch in range(how["epochs"] + 1):
            on_epoch(epoch, 0.5, None if is_post else 0.25, None)
        return load_hnn()

    monkeypatch.setattr(hnn_training, "train_as_post" if is_post else "train", fit)
    for options, is_second in (("", False), ("--points 100 --epochs 200 --seed 4 --device x", True)):
        outcome = run_script(hnn_training.main, f"--recipe {recipe} {options}")
        *lines, wrote, trust = outcome.out.splitlines()
        assert outcome.status == 0 and [path.name for path in folder.iterdir()] == [file], outcome.err
        assert wrote.startswith(f"Wrote {file}") and "derivative MSE" in trust
        assert ("in the place of the weights" in wrote) == is_second
    if is_post:
        assert lines == [f"Epoch: {epoch} Loss: 5.000e-01" for epoch in (0, 100, 200)]
    else:
        assert lines[0] == "Epoch: 0 Loss: 5.000e-01 Validation loss: 2.500e-01" and len(lines) == 201
    more = {} if is_post else {"period": 2 * np.pi}
    assert [how for _, how in given] == [
        {"epochs": epochs, "seed": 0, "device": "cpu", **more},
        {"epochs": 200, "seed": 4, "device": "x", **more},
    ]
    (states, _), (fewer, _) = given
    assert len(states) == n and torch.equal(states, sample_states(n, box, 0))
    assert len(fewer) == n / 10 and torch.equal(fewer, sample_states(n // 10, box, 4))
    weights = torch.load(file, weights_only=True)
    assert all(torch.equal(value, weights[key]) for key, value in load_hnn(file).state_dict().items())


def test_another_seed_gives_another_network_and_a_poor_fit_is_saved_with_a_visible_warning(folder):
    outcomes = [
        run_script(hnn_training.main, f"--epochs 1 --points 10 --seed {seed} --output {seed}.pth") for seed in (1, 2)
    ]
    assert all(outcome.status == 0 and "Warning: a poor fit" in outcome.out for outcome in outcomes)
    weights = [load_hnn(f"{seed}.pth").linear_block[2].weight for seed in (1, 2)]
    assert not np.allclose(*(weight.detach() for weight in weights))


def test_data_and_weights_go_to_the_device_that_was_asked_for(monkeypatch):
    tensor, devices = torch.tensor, []
    for room in ("data", "weights"):
        monkeypatch.setattr(f"support.{room}.usable_device", torch.device)
    monkeypatch.setattr(torch, "tensor", lambda rows, device: devices.append(device.type) or tensor(rows))
    TrainingData(np.eye(20, 2), np.eye(20, 2), device="meta")
    assert devices == ["meta", "meta"]
    assert {weight.device.type for weight in load_hnn(device="meta").parameters()} == {"meta"}
