"""The network: an MLP that maps a state [q, p] to one number, the energy H(q, p), and its checkpoint on disk.

tanh, because H must have smooth derivatives; no activation at the end, because an energy is any real number.
"""

import warnings
import zipfile
from pathlib import Path

import torch
from torch import nn

from command_line import usable_device

CHECKPOINT = Path(__file__).with_name("hamiltonian_nn_1.pth")  # the committed weights
HIDDEN_SIZE = 200
LARGEST_FILE = 16 * 2**20  # bytes: the weights take 0.3 MiB, and no file may claim the machine's memory


class HNN(nn.Module):
    """H(q, p) as a 2 → 200 → 200 → 1 perceptron (Greydanus, Dzamba, Yosinski 2019, arXiv 1906.01563)."""

    def __init__(self):
        super().__init__()
        self.linear_block = nn.Sequential(
            nn.Linear(2, HIDDEN_SIZE),
            nn.Tanh(),
            nn.Linear(HIDDEN_SIZE, HIDDEN_SIZE),
            nn.Tanh(),
            nn.Linear(HIDDEN_SIZE, 1),
        )

    def forward(self, x):
        """The energy H, (B, 1), of the states x = [q, p], (B, 2)."""
        return self.linear_block(x)


def load_hnn(path=CHECKPOINT, device="cpu"):
    """The HNN whose state_dict is saved at `path`, in the precision of the file, on `device`.

    Nothing in the file is run (weights_only). Raises FileNotFoundError or ValueError, in one sentence, where there
    is no file, or where what it holds is not, wholly and finitely, the weights of this network.
    """
    device = usable_device(device)
    path = Path(path)
    weights = _read_checkpoint(path)
    _check_weights(weights, path)
    model = HNN().to(weights["linear_block.0.weight"].dtype)
    model.load_state_dict(weights)
    return model.to(device)


def _read_checkpoint(path):
    """Whatever the checkpoint holds, on the CPU whatever device it was saved from."""
    if not path.exists():
        raise FileNotFoundError(f"there are no weights at {path}; train some with hnn_training.py or name another file")
    if not path.is_file():
        raise ValueError(f"{path} is not a file; name a checkpoint that hnn_training.py wrote")
    with path.open("rb") as file:
        try:
            too_large = _claimed_size(file) > LARGEST_FILE
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a damaged file is refused in our own words
                weights = None if too_large else torch.load(file, map_location="cpu", weights_only=True)
        except Exception:  # a damaged file can fail anywhere in zipfile, pickle or torch
            raise ValueError(
                f"{path} is not a checkpoint, is damaged, or holds more than tensors (nothing in it was run); "
                "name another file or train anew with hnn_training.py"
            ) from None
    if too_large:
        raise ValueError(f"{path} is too large to be this network's weights; name another file")
    return weights


def _claimed_size(file):
    """The bytes that reading the file would take, which a zip archive may state far above its size on disk."""
    size = file.seek(0, 2)
    file.seek(0)
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            size = max(size, sum(entry.file_size for entry in archive.infolist()))
    file.seek(0)
    return size


def _check_weights(weights, path):
    """Raise ValueError unless `weights` is the state_dict of an HNN, every number of it finite."""
    expected = HNN().state_dict()
    if not isinstance(weights, dict):
        raise ValueError(f"{path} holds a {type(weights).__name__}, not a state_dict; save model.state_dict()")
    for key in [*expected, *weights]:
        if key not in weights:
            raise ValueError(f"{path} is the checkpoint of another network: it has no {key!r}")
        if key not in expected:
            raise ValueError(f"{path} is the checkpoint of another network: {str(key)[:60]!r} is not in an HNN")
        value = weights[key]
        if not isinstance(value, torch.Tensor) or value.dtype not in (torch.float32, torch.float64):
            raise ValueError(f"{path}: {key!r} is not a tensor of float32 or float64")
        if value.shape != expected[key].shape:
            shapes = f"{tuple(value.shape)}, in an HNN it is {tuple(expected[key].shape)}"
            raise ValueError(f"{path} is the checkpoint of another network: the shape of {key!r} is {shapes}")
        if value.layout != torch.strided or value.is_meta or not value.isfinite().all():
            raise ValueError(f"{path}: {key!r} holds values that are not finite numbers; train anew")
