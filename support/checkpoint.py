"""Reading a checkpoint that may be damaged or hostile: it is this network's finite weights, or it is refused."""

import warnings
import zipfile
from pathlib import Path

import torch

LARGEST_FILE = 16 * 2**20  # bytes: the weights take 0.3 MiB, and no file may claim the machine's memory


def read_checkpoint(path, shapes):
    """The state_dict saved at `path`, on the CPU, all of it in the widest precision that it holds.

    `shapes` is {key: shape} of the network that it must fit. Nothing in the file is run (weights_only). Raises
    FileNotFoundError or ValueError, in one sentence that names the file, where there is no such state_dict.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"there are no weights at {path}; train some with hnn_training.py or name another file")
    if not path.is_file():
        raise ValueError(f"{path} is not a file; name a checkpoint that hnn_training.py wrote")
    with path.open("rb") as file:
        try:
            is_intact = _fits_in_memory(file) and _sums_are_right(file)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a damaged file is refused in our own words
                weights = torch.load(file, map_location="cpu", weights_only=True) if is_intact else None
        except Exception:  # a damaged file can fail anywhere in zipfile, pickle or torch
            raise ValueError(
                f"{path} is not a checkpoint, is damaged, or holds more than tensors (nothing in it was run); "
                "name another file or train anew with hnn_training.py"
            ) from None
    if not is_intact:
        raise ValueError(f"{path} is damaged, or too large to be this network's weights; name another file")
    return _checked(weights, shapes, path)


def _fits_in_memory(file):
    """Whether reading the file would take no more than LARGEST_FILE; a zip archive may claim more than its size."""
    size = file.seek(0, 2)
    if size <= LARGEST_FILE and zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    return size <= LARGEST_FILE


def _sums_are_right(file):
    """Whether every part of a zip archive has the checksum that it was saved with. Afterwards the file is rewound."""
    damaged = None
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            damaged = archive.testzip()
    file.seek(0)
    return damaged is None


def _checked(weights, shapes, path):
    """`weights` in their widest precision; raises ValueError unless they have these shapes, and are finite."""
    if not isinstance(weights, dict):
        raise ValueError(f"{path} holds a {type(weights).__name__}, not a state_dict; save model.state_dict()")
    for key in [*shapes, *weights]:
        if key not in weights:
            raise ValueError(f"{path} is the checkpoint of another network: it has no {key!r}")
        if key not in shapes:
            raise ValueError(f"{path} is the checkpoint of another network: {str(key)[:60]!r} is not in an HNN")
        value = weights[key]
        if not isinstance(value, torch.Tensor) or value.dtype not in (torch.float32, torch.float64):
            raise ValueError(f"{path}: {key!r} is not a tensor of float32 or float64")
        if value.shape != shapes[key]:
            found = f"{tuple(value.shape)}, in an HNN it is {tuple(shapes[key])}"
            raise ValueError(f"{path} is the checkpoint of another network: the shape of {key!r} is {found}")
        if value.layout != torch.strided or value.is_meta:
            raise ValueError(f"{path}: {key!r} is not an ordinary dense tensor; save model.state_dict() as it is")
        if not value.isfinite().all():
            raise ValueError(f"{path}: {key!r} holds values that are not finite numbers; train anew")
    widest = torch.float64 if any(value.dtype == torch.float64 for value in weights.values()) else torch.float32
    return {key: value.to(widest) for key, value in weights.items()}
