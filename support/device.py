"""What torch keeps for the whole process: the devices that there are, and the stream of random numbers."""

import contextlib

import torch


def usable_device(name):
    """The torch device called `name`; raises ValueError where this machine cannot compute on it in float64."""
    try:
        device = torch.device(name)
        (torch.ones(1, dtype=torch.float64, device=device) + 1).item()
    except Exception:  # each kind of device fails in a way of its own
        has = "cpu" + "".join(f", cuda:{i}" for i in range(torch.cuda.device_count()))
        raise ValueError(f"device {str(name)!r} cannot be used here in float64; this machine has {has}") from None
    return device


@contextlib.contextmanager
def seeded(seed):
    """Random numbers from `seed`; afterwards the caller's, those of CUDA too, go on as if nothing had happened."""
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        yield


@contextlib.contextmanager
def gradients():
    """Gradients that can be taken, though the caller may be under torch.no_grad() or torch.inference_mode()."""
    with torch.inference_mode(False), torch.enable_grad():
        yield
