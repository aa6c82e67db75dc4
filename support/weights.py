"""Weights on disk: written whole, and read from a file that may be damaged."""

import io
import warnings
import zipfile
from pathlib import Path

import torch

from support.files import write_whole
from support.torch_state import new_network, usable_device

LARGEST_FILE = 16 * 2**20  # bytes: the weights take 0.3 MiB, and no file may claim the machine's memory


def weights_path(path, committed):
    """The file of weights to use: `path`, else the one in the folder where the user stands, else the committed one."""
    if path is not None:
        return Path(path)
    here = Path(committed.name)
    return here if here.exists() else committed


def save_weights(path, model):
    """Write the model's state_dict to `path`, whole or not at all."""
    content = io.BytesIO()
    torch.save(model.state_dict(), content)
    write_whole(path, content.getvalue())


def load_weights(make, path, device="cpu"):
    """The network make() with the weights saved at `path`, in the widest precision of the file, on `device`.

    Nothing in the file is run (weights_only). Raises FileNotFoundError or ValueError, in one sentence that names the
    file, where it does not hold finite weights of this network. torch's format of before 2020, which has no checksums,
    is refused too.
    """
    device = usable_device(device)
    weights, model = _read(path), new_network(make)
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
        with zipfile.ZipFile(path) as archive:
            is_whole = sum(entry.file_size for entry in archive.infolist()) <= LARGEST_FILE and not archive.testzip()
        if is_whole:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a damaged file is refused in our own words
                return torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # a damaged file can fail anywhere in zipfile, pickle or torch
        raise ValueError(
            f"{path} is not a checkpoint as torch saves it since 1.6, is damaged, or holds more than tensors (nothing "
            "in it was run); of a whole model save model.state_dict(), else name another file"
        ) from None
    raise ValueError(f"{path} is damaged, or too large to be this network's weights; name another file")
