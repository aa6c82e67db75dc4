"""A checkpoint is untrusted input: it loads as finite weights, or is refused in one sentence; nothing in it is run."""

import os
import pickle
import random
import resource
import zipfile
from collections import OrderedDict

import pytest
import torch

from HNN import CHECKPOINT, HNN, load_hnn

pytestmark = pytest.mark.filterwarnings("error")


def refused(path, match):
    with pytest.raises((ValueError, FileNotFoundError), match=match) as caught:
        load_hnn(path)
    message = str(caught.value)
    assert str(path) in message and "\n" not in message
    return message


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


@pytest.mark.parametrize("rounded", ["linear_block.0.weight", "linear_block.2.weight", "linear_block.4.bias"])
def test_mixed_precisions_load_in_the_widest(path, weights, rounded):
    mixed = {key: value if key == rounded else value.double() for key, value in weights.items()}
    torch.save(mixed, path)
    loaded = load_hnn(path).state_dict()
    assert all(torch.equal(loaded[key], mixed[key].double()) for key in weights)
    torch.save({key: value.double() if key == rounded else value for key, value in weights.items()}, path)
    assert {value.dtype for value in load_hnn(path).state_dict().values()} == {torch.float64}


def test_what_is_no_file_is_refused(tmp_path):
    refused(tmp_path / "nowhere.pth", "there are no weights")
    refused(tmp_path, "not a file")
    os.mkfifo(tmp_path / "pipe.pth")
    refused(tmp_path / "pipe.pth", "not a file")


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04", b"\x80\x02.", os.urandom(5000)])
def test_what_is_no_checkpoint_is_refused(path, content):
    path.write_bytes(content)
    refused(path, "not a checkpoint")


def test_a_truncated_checkpoint_is_refused(path):
    content = CHECKPOINT.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    refused(path, "damaged")


@pytest.mark.parametrize(
    "key, value, match",
    [
        ("extra.weight", torch.zeros(1), "'extra.weight' is not in an HNN"),
        (7, torch.zeros(1), "'7' is not in an HNN"),
        ("linear_block.0.weight", torch.zeros(100, 2), r"'linear_block.0.weight' is \(100, 2\), in an HNN"),
        ("linear_block.4.weight", torch.zeros(200), r"'linear_block.4.weight' is \(200,\)"),
        ("linear_block.2.weight", torch.full((200, 200), torch.nan), "'linear_block.2.weight' holds .* not finite"),
        ("linear_block.0.bias", torch.full((200,), torch.inf), "'linear_block.0.bias' holds .* not finite"),
        ("linear_block.0.bias", torch.zeros(200, device="meta"), "'linear_block.0.bias' is not an ordinary dense"),
        ("linear_block.0.bias", torch.zeros(200).to_sparse(), "'linear_block.0.bias' is not an ordinary dense"),
        ("linear_block.0.bias", torch.zeros(200, dtype=torch.float16), "'linear_block.0.bias' is not a tensor of"),
        ("linear_block.0.bias", torch.zeros(200, dtype=torch.int64), "'linear_block.0.bias' is not a tensor of"),
        ("linear_block.0.bias", [0.0] * 200, "'linear_block.0.bias' is not a tensor of"),
    ],
)
def test_the_checkpoint_of_another_network_is_refused_by_key(path, weights, key, value, match):
    torch.save(OrderedDict(weights) | {key: value}, path)
    refused(path, match)


def test_a_checkpoint_that_lacks_a_key_is_refused(path, weights):
    del weights["linear_block.2.bias"]
    torch.save(weights, path)
    refused(path, "no 'linear_block.2.bias'")


@pytest.mark.parametrize("content", [[1, 2], torch.zeros(3), 3.0, None])
def test_what_is_no_state_dict_is_refused(path, content):
    torch.save(content, path)
    refused(path, "not a state_dict")


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
    refused(path, "nothing in it was run")
    assert not marker.exists()


def test_a_file_that_claims_the_memory_of_the_machine_is_refused(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(100 * 2**20))
    refused(path, "too large")
    with path.open("wb") as file:
        file.truncate(2**33)
    refused(path, "too large")


def with_flipped_bit(content, start, size, rng):
    """`content` with one bit flipped somewhere in the `size` bytes from `start` on."""
    content = bytearray(content)
    content[start + rng.randrange(size)] ^= 1 << rng.randrange(8)
    return bytes(content)


def test_one_flipped_bit_in_the_numbers_of_a_zip_checkpoint_is_refused(path):
    content, rng = CHECKPOINT.read_bytes(), random.Random(0)
    numbers = torch.load(CHECKPOINT, weights_only=True)["linear_block.2.weight"].numpy().tobytes()
    for _ in range(60):
        path.write_bytes(with_flipped_bit(content, content.index(numbers), len(numbers), rng))
        refused(path, "damaged")


def test_one_flipped_bit_anywhere_in_a_zip_checkpoint_is_refused_or_changes_nothing(path):
    content, rng, right = CHECKPOINT.read_bytes(), random.Random(0), load_hnn().state_dict()
    for start in [0, len(content) - 2500] * 60:  # where the structure is: the pickle in front, the directory at the end
        path.write_bytes(with_flipped_bit(content, start, 2500, rng))
        try:
            loaded = load_hnn(path).state_dict()
        except ValueError as error:
            assert str(path) in str(error) and "\n" not in str(error)
        else:
            assert all(torch.equal(loaded[key], right[key]) for key in right)


def corrupted(content, rng):
    """A real checkpoint, damaged in one of five ways."""
    content, kind, n = bytearray(content), rng.randrange(5), len(content)
    if kind == 0:
        del content[rng.randrange(n) :]
    elif kind == 1:
        for _ in range(rng.choice([1, 10, 1000])):
            content[rng.randrange(n)] ^= 1 << rng.randrange(8)
    elif kind == 2:  # where the structure is: the pickle in front and the directory at the end
        for _ in range(rng.choice([1, 5, 20])):
            content[rng.choice([rng.randrange(1500), n - 1 - rng.randrange(1500)])] = rng.randrange(256)
    elif kind == 3:
        size = rng.choice([64, 1024, 4096])
        blocks = [content[i : i + size] for i in range(0, n, size)]
        rng.shuffle(blocks)
        content = bytearray().join(blocks)
    else:
        start, size = rng.randrange(n), rng.randrange(1, 2000)
        content[start : start + size] = rng.randbytes(size) if rng.random() < 0.5 else b""
    return bytes(content)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_damaged_checkpoint_is_refused_in_one_sentence_or_loads_right_if_zipped_and_finite_if_not(path, zipped):
    right = torch.load(CHECKPOINT, weights_only=True)
    torch.save(right, path, _use_new_zipfile_serialization=zipped)
    content, rng, outcomes = path.read_bytes(), random.Random(0), {"loaded": 0, "refused": 0}
    memory_before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(150):
        path.write_bytes(corrupted(content, rng))
        try:
            loaded = load_hnn(path).state_dict()
            for key, value in loaded.items():
                assert torch.equal(value, right[key]) if zipped else value.isfinite().all()
            outcomes["loaded"] += 1
        except ValueError as error:
            assert str(path) in str(error) and "\n" not in str(error)
            outcomes["refused"] += 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory_before < 1e6  # kB
    assert outcomes["refused"] > 50 and outcomes["loaded"] > 0, outcomes
