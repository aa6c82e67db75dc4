"""Weights on disk are untrusted input: they load whole or are refused in a sentence, and judged in a line."""

import copy
import math
import os
import pickle
import random
import warnings
import zipfile
from collections import OrderedDict

import pytest
import torch
from helpers import run_script
from torch import nn

import dist_dynamic
import rigid_simulator_HNN
from HNN import CHECKPOINT, HNN, load_hnn
from hnn_model_derivs import measure
from support.trust import verdict
from support.weights import save_weights

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


def knowing(path, **knows):
    """The file of a model that knows this."""
    model = HNN()
    model.knows = knows
    save_weights(path, model)
    return path


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_published_layout_loads_in_its_own_precision_and_mixed_ones_in_the_widest(path, weights, dtype):
    weights = {key: value.to(dtype) for key, value in weights.items()}
    torch.save(weights, path)
    loaded = load_hnn(path).state_dict()
    assert all(torch.equal(loaded[key], weights[key]) and loaded[key].dtype == dtype for key in weights)
    weights["linear_block.0.weight"] = weights["linear_block.0.weight"].double()
    torch.save(weights, path)
    assert {value.dtype for value in load_hnn(path).state_dict().values()} == {torch.float64}


def test_ours_has_the_published_layout_and_loads_elsewhere():
    weights = torch.load(CHECKPOINT, weights_only=True)
    theirs = nn.Module()
    layers = [nn.Linear(2, 200), nn.Tanh(), nn.Linear(200, 200), nn.Tanh(), nn.Linear(200, 1)]
    theirs.linear_block = nn.Sequential(*layers).double()
    theirs.load_state_dict(weights)
    assert type(weights) is OrderedDict and {value.dtype for value in weights.values()} == {torch.float64}
    assert all(torch.equal(value, load_hnn().state_dict()[key]) for key, value in theirs.state_dict().items())


# What a model knows about itself goes with its weights.


@pytest.mark.parametrize(
    "knows",
    [
        {},
        {"period": None, "q_range": (-1.0, 1.5), "p_range": (-1.5, 2.0)},
        {"period": 2 * math.pi, "p_range": (-1.5, 2.0), "dt": 0.1},
    ],
)
def test_what_a_model_knows_is_saved_and_takes_the_place_of_what_another_knew(path, knows):
    knowing(path, **knows)
    assert load_hnn(path).knows == knows
    other = HNN()
    other.knows = {"dt": 9.0, "period": 360.0}
    other.load_state_dict(torch.load(path, weights_only=True))
    assert other.knows == knows


def test_a_copy_of_a_model_knows_the_same_and_then_goes_its_own_way(path):
    model = HNN()
    model.knows = {"period": 1.0}
    other = copy.deepcopy(model)
    assert other.knows == {"period": 1.0}
    other.knows["period"] = 2.0
    assert [m.state_dict()._metadata[""]["knows"] for m in (model, other)] == [{"period": 1.0}, {"period": 2.0}]
    other.load_state_dict(torch.load(knowing(path, dt=0.1), weights_only=True))
    assert (model.knows, other.knows) == ({"period": 1.0}, {"dt": 0.1})
    other.load_state_dict(model.state_dict())
    other.knows["period"] = 3.0
    assert model.knows == {"period": 1.0}


@pytest.mark.parametrize(
    "knows, match",
    [
        ({"period": "x"}, "period must be a number above 0"),
        ({"dt": -0.1}, "dt must be a number above 0"),
        ({"friction": 0.1}, "friction"),
        ({"p_range": (2.0, -2.0)}, "p_range"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_no_training_writes_is_refused_when_it_is_loaded(path, knows, match):
    refused(knowing(path, **knows), match)


# What is refused.


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04"])
def test_what_is_no_checkpoint_is_refused(path, content):
    refused(path, "there are no weights")
    refused(path.parent, "not a checkpoint")
    path.write_bytes(content)
    refused(path, "not a checkpoint")


@pytest.mark.parametrize(
    "spoil, match",
    [
        (lambda weights: list(weights), "another network"),
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


def test_torchs_format_of_before_2020_is_refused_in_our_own_words(path, weights):
    torch.save(weights, path, _use_new_zipfile_serialization=False)  # it has no checksums
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        refused(path, "not a checkpoint")
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


def test_a_damaged_checkpoint_is_refused_in_one_sentence(path):
    content, rng = CHECKPOINT.read_bytes(), random.Random(0)
    for n_flipped in [0, 1, 1, 10, 1000] * 10:
        damaged = bytearray(content if n_flipped else content[: rng.randrange(len(content))])
        for _ in range(n_flipped):
            damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        refused(path, "weights.pth")


# How far they are trusted.


def test_the_first_line_names_the_weights_that_all_take_and_how_far_to_trust_them(folder, model, slower):
    first = run_script(rigid_simulator_HNN.main, "--steps 3").out.splitlines()[0]
    assert first.startswith(f"Weights {CHECKPOINT}, on |q| ≤ 3.14, |p| ≤ 7: derivative MSE ")
    assert first.endswith("derivative MSE {:.1e}, relative L2 error of H {:.1e}".format(*measure(model)))
    (folder / CHECKPOINT.name).write_bytes(slower.read_bytes())  # in the folder where the user stands
    first = run_script(rigid_simulator_HNN.main, "--steps 3").out.splitlines()[0]
    assert first.startswith(f"Weights {CHECKPOINT.name}, ") and "Warning: a poor fit" in first
    assert torch.equal(load_hnn().linear_block[4].weight, load_hnn(slower).linear_block[4].weight)
    first = run_script(dist_dynamic.main, f"--steps 1 --points 9 --weights {CHECKPOINT}").out.splitlines()[0]
    assert first.startswith(f"Weights {CHECKPOINT}, ") and "Warning" not in first


@pytest.mark.parametrize("factor, warns", [(1.0001, False), (1.001, True), (float("nan"), True)])
def test_a_poor_fit_is_warned_of_and_no_other(factor, warns):
    other = load_hnn()
    with torch.no_grad():
        other.linear_block[4].weight *= factor
    assert ("Warning: a poor fit" in verdict("w.pth", other, *measure(other))) == warns


@pytest.mark.parametrize("script", [rigid_simulator_HNN, dist_dynamic])
def test_weights_that_serve_one_dt_only_are_refused_by_the_scripts(folder, script):
    knowing(folder / "steps.pth", dt=0.1)
    outcome = run_script(script.main, "--weights steps.pth")
    assert (outcome.status, outcome.out) == (1, "") and [*folder.iterdir()] == [folder / "steps.pth"]
    assert outcome.err.startswith("Error: steps.pth was trained on steps of 0.1 s, and gives no energy H; roll it out")
