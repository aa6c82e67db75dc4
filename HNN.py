"""The network: an MLP that maps a state [q, p] to one number, the energy H(q, p).

tanh, because H must have smooth derivatives; no activation at the end, because an energy is any real number.
"""

from pathlib import Path

from torch import nn

from support.knowledge import keep_knowledge
from support.weights import load_weights, weights_path

CHECKPOINT = Path(__file__).with_name("hamiltonian_nn_1.pth")  # the committed weights
HIDDEN_SIZE = 200


class HNN(nn.Module):
    """H(q, p) as a 2 → 200 → 200 → 1 perceptron (Greydanus, Dzamba, Yosinski 2019, arXiv 1906.01563).

    H is not periodic in q by itself: learned_dynamics (hnn_model_derivs.py) wraps q to one turn before it asks for H.
    After train(), the dict model.knows says what its data were: the period of q, the ranges of q and p, and the dt of
    steps if it was trained on such. It is saved with the weights, in the metadata of the state_dict.
    """

    def __init__(self):
        super().__init__()
        self.linear_block = nn.Sequential(
            nn.Linear(2, HIDDEN_SIZE),
            nn.Tanh(),
            nn.Linear(HIDDEN_SIZE, HIDDEN_SIZE),
            nn.Tanh(),
            nn.Linear(HIDDEN_SIZE, 1),
        )
        keep_knowledge(self)

    def forward(self, x):
        """The energy H, (B, 1), of the states x = [q, p], (B, 2), in the precision of the weights."""
        precision = self.linear_block[0].weight.dtype
        return self.linear_block(x.to(precision))


def load_hnn(path=None, device="cpu"):
    """The HNN whose weights are saved at `path`, in the precision of the file, on `device`.

    Without a path it is hamiltonian_nn_1.pth in the folder where you stand, if there is one, else the committed one.
    The file is read with weights_only, which runs no code from it. Raises FileNotFoundError where there is no file, and
    ValueError where it does not hold finite weights of this network or the device cannot be used.
    """
    return load_weights(HNN, weights_path(path, CHECKPOINT), device)
