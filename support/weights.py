"""Weights on disk, with what a model knows of its data: written whole, and read from a file that may be damaged."""

import io
import math
import warnings
import zipfile
from pathlib import Path

import torch

from support.files import write_whole
from support.inputs import check_period, check_positive
from support.torch_state import new_network, usable_device

RANGES = ("q_range", "p_range")
LARGEST_FILE = 16 * 2**20  # bytes: the weights take 0.3 MiB, and no file may claim the machine's memory


class SavesWhatItKnows:
    """For an nn.Module that is saved with what it knows of the data that it was trained on, the dict `knows`.

    period        of q; None where q is no angle
    q_range, p_range        least and greatest of the data, q wrapped
    dt            (s) of the states whose steps the model repeats, and the only one that it serves

    It goes with the weights in the metadata that torch keeps with a state_dict, so that whoever else loads them does
    not see it. What must be saved is state_dict() itself: a dict that is made from its items has no metadata.
    """

    def __init__(self):
        super().__init__()
        self.knows = {}

    def _save_to_state_dict(self, destination, prefix, keep_vars):
        super()._save_to_state_dict(destination, prefix, keep_vars)
        destination._metadata[prefix[:-1]]["knows"] = dict(self.knows)

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, *rest):
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)
        self.knows = check_knowledge(local_metadata.get("knows", {}))


def check_knowledge(knows):
    """What a file says that a model knows; raises ValueError where it is not what a training writes."""
    knows = dict(knows)
    for key, value in knows.items():
        if key == "period":
            check_period(value)
        elif key == "dt":
            check_positive(key, value)
        elif key not in RANGES or [type(end) for end in value] != [float, float] or not value[0] <= value[1]:
            raise ValueError(f"a model cannot know {key} = {value!r}")
    return knows


def own_period(model, period):
    """The period of q: the model's own where it knows it, else `period`.

    Raises ValueError for a bad period, or one that the model contradicts; 2π, the default, is never refused.
    """
    check_period(period)
    own = getattr(model, "knows", {}).get("period", period)
    if period not in (own, 2 * math.pi) and (None in (own, period) or not math.isclose(own, period)):
        raise ValueError(f"the model was trained with the period {own}, not {period}; leave the period out")
    return own


def own_dt(model, dt, default):
    """The time step of a rollout (s): the model's own, which no other may replace, else dt, else default."""
    own = getattr(model, "knows", {}).get("dt")
    if dt is None:
        return default if own is None else own
    if own is not None and not math.isclose(check_positive("dt", dt), own, rel_tol=1e-9):
        raise ValueError(f"the model was learned from states {own:.6g} s apart and steps by no other dt; leave dt out")
    return dt


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
