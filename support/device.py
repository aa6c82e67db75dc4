"""What torch keeps for the whole process (gradients, devices, threads, random numbers), kept apart from ours."""

import contextlib
import math
import threading

import torch
from torch import nn

FEW_STATES = 10
DRAWING = threading.Lock()  # one network at a time draws from the random numbers that all threads share


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
def enable_grad():
    """Gradients that can be taken, though the caller may be under torch.no_grad() or torch.inference_mode()."""
    with torch.inference_mode(False), torch.enable_grad():
        yield


@contextlib.contextmanager
def torch_defaults():
    """Gradients on, and new tensors on the CPU unless a device is named, whatever the caller has set."""
    with enable_grad(), torch.device("cpu"):
        yield


@contextlib.contextmanager
def one_thread():
    """One thread for torch: a small least-squares problem gains little from two, and loses much on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def threads_for(n_states):
    """One thread for so few states that waiting for a second one takes as long as what it does."""
    return one_thread() if n_states <= FEW_STATES else contextlib.nullcontext()


def make_aside(make):
    """make(), a network on the CPU, without the caller's random numbers knowing of those that are drawn for it."""
    with DRAWING, torch.random.fork_rng(devices=[]), torch.device("cpu"):
        return make()


def new_network(make, seed):
    """make() in float32 with the weights that torch would draw for it, from a generator of its own."""
    network = make_aside(make)
    generator = torch.Generator().manual_seed(seed)
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            bound = 1 / math.sqrt(layer.in_features)
            for name, parameter in list(layer.named_parameters()):
                values = torch.empty(parameter.shape, dtype=torch.float32, device="cpu")
                setattr(layer, name, nn.Parameter(values.uniform_(-bound, bound, generator=generator)))
    return network
