"""A checkpoint is untrusted input: it loads as finite weights, or is refused in one sentence; nothing in it is run."""

import math
import os
import pickle
import random
import warnings
import zipfile
from collections import OrderedDict

import pytest
import torch
from torch import nn

from HNN import CHECKPOINT, HNN, load_hnn
from rigid_simulator_HNN import run_simulation_HNN
from support.checkpoint import save_checkpoint

pytestmark = pytest.mark.filterwarnings("error")


def refused(path, match):
    with pytest.raises((ValueError, FileNotFoundError), match=match) as caught:
        load_hnn(path)
    message = str(caught.value)
    assert str(path) in message and "\n" not in message and len(message) < 400


@pytest.fixture
def weights():
    return HNN().state_dict()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "weights.pth"


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("zipped", [True, False])
def test_the_published_layout_loads_in_its_own_precision(path, weights, dtype, zipped):
    weights = {key: value.to(dtype) for key, value in weights.items()}
    torch.save(weights, path, _use_new_zipfile_serialization=zipped)
    loaded = load_hnn(path).state_dict()
    assert all(torch.equal(loaded[key], weights[key]) and loaded[key].dtype == dtype for key in weights)


def test_mixed_precisions_load_in_the_widest(path, weights):
    weights["linear_block.0.weight"] = weights["linear_block.0.weight"].double()
    torch.save(weights, path)
    assert {value.dtype for value in load_hnn(path).state_dict().values()} == {torch.float64}


def test_ours_has_the_published_layout_and_loads_elsewhere():
    class SomebodysHNN(nn.Module):
        def __init__(self):
            super().__init__()
            layers = [nn.Linear(2, 200), nn.Tanh(), nn.Linear(200, 200), nn.Tanh(), nn.Linear(200, 1)]
            self.linear_block = nn.Sequential(*layers)

    weights = torch.load(CHECKPOINT, weights_only=True)
    theirs = SomebodysHNN().double()
    theirs.load_state_dict(weights)
    assert type(weights) is OrderedDict and {value.dtype for value in weights.values()} == {torch.float64}
    assert all(torch.equal(value, load_hnn().state_dict()[key]) for key, value in theirs.state_dict().items())


def test_a_model_goes_to_the_device_that_was_asked_for(monkeypatch):
    monkeypatch.setattr("support.checkpoint.usable_device", torch.device)
    assert {parameter.device.type for parameter in load_hnn(device="meta").parameters()} == {"meta"}


# What a model knows about itself goes with its weights.


@pytest.mark.parametrize(
    "knows",
    [
        {},
        {"period": None, "p_range": (-1.5, 2.0)},
        {"period": 2 * math.pi, "p_range": (-1.5, 2.0), "dt": 0.1},
    ],
)
def test_what_a_model_knows_is_saved_and_loaded(path, knows):
    model = HNN()
    model.knows = knows
    save_checkpoint(path, model)
    assert load_hnn(path).knows == knows
    fresh = HNN()
    fresh.load_state_dict(torch.load(path, weights_only=True))
    assert fresh.knows == knows
    run_simulation_HNN([0.1, 0.0], load_hnn(path), 2)


# What is refused.


def test_what_is_no_file_is_refused(tmp_path):
    refused(tmp_path / "nowhere.pth", "there are no weights")
    refused(tmp_path, "not a checkpoint")


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04"])
def test_what_is_no_checkpoint_is_refused(path, content):
    path.write_bytes(content)
    refused(path, "not a checkpoint")


@pytest.mark.parametrize(
    "spoil, match",
    [
        (lambda weights: list(weights), "another network: Expected state_dict to be dict-like"),
        (lambda weights: {"state_dict": weights, "epoch": 9}, "another network"),
        (lambda weights: dict(list(weights.items())[1:]), "Missing key.*linear_block.0.weight"),
        (lambda weights: weights | {"extra.weight": torch.zeros(1)}, "another network.*extra.weight"),
        (lambda weights: weights | {"linear_block.0.weight": torch.zeros(100, 2)}, "another.*linear_block.0.weight"),
        (lambda weights: weights | {"linear_block.0.bias": torch.tensor([0.0] * 199 + [torch.inf])}, "not finite"),
    ],
)
def test_what_are_no_finite_weights_of_this_network_is_refused(path, weights, spoil, match):
    torch.save(spoil(weights), path)
    refused(path, match)


def test_torchs_own_warnings_of_a_strange_file_are_not_shown_beside_ours(path):
    path.write_bytes(pickle.dumps({"a": 1}))
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        refused(path, "weights.pth")
    assert not shown


class Evil:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


def test_a_pickle_that_would_run_code_is_refused_and_nothing_runs(path, weights, tmp_path):
    marker = tmp_path / "it-ran"
    torch.save(weights | {"linear_block.0.weight": Evil(marker)}, path)
    refused(path, "nothing in it was run")
    path.write_bytes(pickle.dumps(Evil(marker)))
    refused(path, "nothing in it was run")
    torch.save(HNN(), path)  # a whole model, whose class would have to be run
    refused(path, r"nothing in it was run.*save model\.state_dict\(\)")
    assert not marker.exists()


def test_a_file_that_claims_the_memory_of_the_machine_is_refused(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(100 * 2**20))
    refused(path, "too large")
    with path.open("wb") as file:
        file.truncate(2**33)
    refused(path, "too large")


def test_a_damaged_checkpoint_is_refused_in_one_sentence(path):
    content, rng = CHECKPOINT.read_bytes(), random.Random(0)
    for n_flipped in [0, 1, 1, 10, 1000] * 10:
        damaged = bytearray(content if n_flipped else content[: rng.randrange(len(content))])
        for _ in range(n_flipped):
            damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        refused(path, "weights.pth")
