"""Weights on disk: written whole, and read from a file that may be damaged, hostile or another network's."""

import io
import warnings
import zipfile
from pathlib import Path

import torch

from support.device import make_aside, usable_device
from support.files import write_whole

LARGEST_FILE = 16 * 2**20  # bytes: the weights take 0.3 MiB, and no file may claim the machine's memory


def save_checkpoint(path, model):
    """Write the model's state_dict to `path`, whole or not at all."""
    content = io.BytesIO()
    torch.save(model.state_dict(), content)
    write_whole(path, content.getvalue())


def load_checkpoint(make, path, device="cpu"):
    """The network make() with the weights saved at `path`, in the widest precision of the file, on `device`.

    Nothing in the file is run (weights_only). Raises FileNotFoundError or ValueError, in one sentence that names the
    file, where it does not hold finite weights of this network.
    """
    path, device = Path(path), usable_device(device)
    weights, model = _read(path), make_aside(make)
    try:
        model.load_state_dict(weights, assign=True)
    except Exception as error:  # keys or shapes of another network, in several lines of torch's
        why = " ".join(str(error).split())
        raise ValueError(f"{path} is the checkpoint of another network: {why.partition(': ')[2] or why:.200}") from None
    parameters = list(model.parameters())
    if not all(values.isfinite().all() for values in parameters):
        raise ValueError(f"{path} holds values that are not finite numbers; train anew")
    is_wide = any(values.dtype == torch.float64 for values in parameters)
    return model.to(device, torch.float64 if is_wide else torch.float32)


def _read(path):
    """What is saved in the file, on the CPU."""
    if not path.exists():
        raise FileNotFoundError(f"there are no weights at {path}; train some with hnn_training.py or name another file")
    try:
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a damaged file is refused in our own words
            if _is_intact(file):
                return torch.load(file, map_location="cpu", weights_only=True)
    except Exception:  # a damaged file can fail anywhere in zipfile, pickle or torch
        raise ValueError(
            f"{path} is not a checkpoint, is damaged, or holds more than tensors (nothing in it was run); of a whole "
            "model save model.state_dict(), else name another file"
        ) from None
    raise ValueError(f"{path} is damaged, or too large to be this network's weights; name another file")


def _is_intact(file):
    """Whether the file and what it unpacks to are no larger than LARGEST_FILE, and its checksums are right."""
    size = file.seek(0, 2)
    if size <= LARGEST_FILE and zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
            if size <= LARGEST_FILE and archive.testzip() is not None:
                return False
    file.seek(0)
    return size <= LARGEST_FILE
