"""What torch has one of in a process, gradients, devices, threads and random numbers: ours leaves a caller's alone."""

import contextlib

import torch

from support.inputs import check_seed

FEW_STATES = 10


def usable_device(name):
    """The torch device called `name`; raises ValueError where this machine cannot compute on it in float64."""
    try:
        device = torch.device(name)
        (torch.ones(1, dtype=torch.float64, device=device) + 1).cpu()
    except Exception:  # each kind of device fails in a way of its own
        has = "cpu" + "".join(f", cuda:{i}" for i in range(torch.cuda.device_count()))
        raise ValueError(f"device {str(name)!r} cannot be used here in float64; this machine has {has}") from None
    return device


@contextlib.contextmanager
def gradients_on():
    """Gradients that can be taken, though the caller may be under torch.no_grad() or torch.inference_mode()."""
    with torch.inference_mode(False), torch.enable_grad():
        yield


@contextlib.contextmanager
def one_thread():
    """One thread for torch, then as many as before."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextlib.contextmanager
def gradients_on_one_thread():
    """For a training: small matrices gain little from a second thread, and lose much where its core is busy."""
    with gradients_on(), one_thread():
        yield


def threads_for(n_states):
    """One thread for so few states that waiting for a second one takes as long as what it does."""
    return one_thread() if n_states <= FEW_STATES else contextlib.nullcontext()


def new_network(make, seed=0):
    """make() on the CPU in float32, with torch's own first weights for this seed; the caller's random numbers stay."""
    check_seed(seed)
    dtype = torch.get_default_dtype()
    with torch.random.fork_rng(devices=[]), torch.device("cpu"):
        torch.manual_seed(seed)
        torch.set_default_dtype(torch.float32)
        try:
            return make()
        finally:
            torch.set_default_dtype(dtype)
