"""Train the HNN: match the derivatives of the learned H to those of the true pendulum.

    loss = mean of ([∂H/∂p, −∂H/∂q] − [dq/dt, dp/dt])²    over the states and both components

train_as_post() is the post's loop: Adam on all the weights. train() minimises the same errors by another route: with a
small ridge, and in units in which q, p and the derivatives are of size 1, whatever units the data are in.

Up to its constant H = h₂ · w, with output weights w and hidden units h₂ that depend on the hidden layers θ, so that the
predicted derivatives are linear in w. The best w for given θ is then a least-squares solution:

    predicted derivatives = A(θ) w                   A holds ∂h₂/∂p and −∂h₂/∂q
    w*(θ) = argmin |A(θ) w − y|² + λ² |w|²           y: the true derivatives; the ridge λ keeps w small

That leaves θ, which L-BFGS moves. Let S be the sum at w*(θ). By the chain rule dS/dθ = ∂S/∂θ + ∂S/∂w · dw*/dθ, and
∂S/∂w is 0 at w*: the gradient is taken with w held fixed (variable projection: Golub & Pereyra 1973).
At the end w is solved for once more, with extra equations H(π, p) − H(−π, p) = 0, so that H is the same a turn later.

uv run python hnn_training.py                       writes hamiltonian_nn_1.pth
uv run python hnn_training.py --recipe post         trains as the post does; writes hamiltonian_nn_post.pth
"""

import copy
import math
from functools import partial
from pathlib import Path

import torch
from torch import nn

from HNN import CHECKPOINT, HNN
from hnn_model_derivs import get_model_time_derivatives, measure
from pendulum_tensor import POST_BOX, TRAINING_BOX, pendulum_dynamics_tensor, sample_states
from support.data import TrainingData
from support.least_squares import choose_ridge, solve
from support.options import Options
from support.terminal import count_epochs, run, say
from support.torch_state import gradients_on_one_thread, new_network
from support.trust import verdict
from support.variable_projection import LBFGS, best_network, features
from support.weights import save_weights

POINTS = 1000  # states to fit; if there are more, those enter our last solve only
ASIDE = 0.2  # of our states: they tell which epoch is best, and only the last solve fits them
POST_EPOCHS, POST_WEIGHTS = 1200, "hamiltonian_nn_post.pth"  # of the post's recipe
EPOCHS = 9  # of ours, of five iterations of L-BFGS each
FIRST_WEIGHTS = 0.5  # times torch's own, in our first layer: H is smoother at the start, and follows noise less
IMPROVEMENT = 0.9  # an epoch is kept if its validation loss is below this part of the best; smaller gains may be chance


@gradients_on_one_thread()
def train_as_post(states, true_derivatives, epochs=POST_EPOCHS, seed=0, device="cpu", on_epoch=None):
    """The HNN that the post's loop ends with: Adam at 1e-2 on all layers, epochs 0 to `epochs`, in float32.

    Arguments and errors are those of train(), less period and ridge. No states are kept for validation, so that
    on_epoch(epoch, loss, None, model) is told of no validation loss.
    """
    data = TrainingData(states, true_derivatives, device=device)
    x, y = data.states.float(), data.derivatives.float()  # (N, 2) each, in the units of whoever gave them
    model = new_network(HNN, seed).to(x)
    loss_fn = nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for epoch in count_epochs(epochs):
        predicted_derivatives = get_model_time_derivatives(model, x)
        loss = loss_fn(predicted_derivatives, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        tell(on_epoch, epoch, loss.item(), None, model)
    return model


@gradients_on_one_thread()
def train(states, true_derivatives, epochs=EPOCHS, seed=0, period=None, device="cpu", on_epoch=None, ridge=None):
    """The HNN, in float64, whose Hamilton's equations best fit `true_derivatives` at `states`, both (N, 2).

    The data may be of any Hamiltonian system of one degree of freedom, in any units, and noisy. Where q is an angle,
    `period` is its period. A fifth of the states, drawn with `seed`, is kept out of the fit and tells which epoch is
    best; the fit takes 1,000 of the others at most, and the last solve takes all states.
    `on_epoch(epoch, loss, validation_loss, model)` is called from epoch 0, the first solve, to the last. The `ridge` is
    λ over the Frobenius norm |A| of the first A; it is chosen from the data where it is not given.

    The HNN knows its period and the ranges of q and p of its data. Its `validation_loss` is that of the best epoch, and
    `explained_part` is the part of the derivatives' mean square that it explains. Raises ValueError for arguments that
    cannot be used, and ArithmeticError where the fit is not finite. Warns where rows are left out, or where the model
    explains less than nine tenths.
    """
    data = TrainingData(states, true_derivatives, period, device)
    fit, aside = data.split(ASIDE, POINTS, seed)  # the indices of these states
    x, y = data.x[fit], data.y[fit].reshape(-1, 1)  # (n, 2) and (2n, 1), in units of size 1
    hidden = first_hidden_layers(seed).to(x)
    A = features(hidden, x)  # (2n, 200)
    # If none is given: the largest with which the first hidden layers predict unseen states as well as with any.
    λ = (choose_ridge(A, y) if ridge is None else ridge) * torch.linalg.matrix_norm(A).item()

    def loss():
        A = features(hidden, x)
        w = solve(A.detach(), y, λ)  # w*(θ), held fixed
        return ((A @ w - y).square().sum() + λ**2 * w.square().sum()) / len(y)

    optimizer = LBFGS(hidden)
    least = math.inf
    for epoch in count_epochs(epochs):
        if epoch > 0:
            optimizer.step(loss)
        model = best_network(HNN, hidden, data, λ, of=fit)  # with w*(θ)
        fit_loss = derivative_error(model, data.states[fit], data.derivatives[fit])
        validation_loss = derivative_error(model, data.states[aside], data.derivatives[aside])
        tell(on_epoch, epoch, fit_loss, validation_loss, model)
        if validation_loss < IMPROVEMENT * least:
            least, best_hidden = validation_loss, copy.deepcopy(hidden)

    model = best_network(HNN, best_hidden, data, λ, on_circle=period is not None)  # from all states
    model.knows, model.validation_loss = data.known(), least
    model.explained_part = data.explained_part(partial(get_model_time_derivatives, model), torch.cat([fit, aside]))
    return model


def first_hidden_layers(seed):
    """The hidden layers at the start: torch's own, with the weights of the first layer made smaller."""
    hidden = new_network(HNN, seed).linear_block[:-1]
    hidden[0].weight.data *= FIRST_WEIGHTS
    return hidden


def derivative_error(model, x, true_derivatives):
    """The mean squared error of the model's derivatives at the states x, over states and both components."""
    with torch.no_grad():
        return (get_model_time_derivatives(model, x) - true_derivatives).square().mean().item()


def tell(on_epoch, epoch, loss, validation_loss, model):
    """Call on_epoch, if there is one; raises ArithmeticError for a loss that is not finite."""
    if not math.isfinite(loss + (validation_loss or 0)):
        raise ArithmeticError(f"epoch {epoch}: the loss is not finite; try fewer epochs or rescale the data")
    if on_epoch:
        on_epoch(epoch, loss, validation_loss, model)


def print_epoch(epoch, loss, validation_loss, model):
    """Print the post's line: for each epoch of ours, with the validation loss; for each hundredth of the post's."""
    if validation_loss is not None:
        say(f"Epoch: {epoch} Loss: {loss:.3e} Validation loss: {validation_loss:.3e}")
    elif epoch % 100 == 0:
        say(f"Epoch: {epoch} Loss: {loss:.3e}")


def main():
    options = Options("Train the Hamiltonian neural network on the pendulum.")
    options.add_argument("--recipe", choices=["default", "post"], default="default", help="ours, or the post's own")
    options.add_count("--epochs", None, f"epochs to train (default: {EPOCHS}; the post's: {POST_EPOCHS})")
    options.add_count("--points", POINTS, f"states to fit; those above {POINTS:,} enter our last solve only")
    options.add_seed("the data and the network")
    options.add_device()
    options.add_checkpoint(f"{CHECKPOINT.name}; the post's: {POST_WEIGHTS}")
    args = options.parse()
    as_post = args.recipe == "post"
    epochs = args.epochs or (POST_EPOCHS if as_post else EPOCHS)
    output = options.check_file("output", args.output or (POST_WEIGHTS if as_post else CHECKPOINT.name))

    n, box = (args.points, POST_BOX) if as_post else (round(args.points / (1 - ASIDE)), TRAINING_BOX)
    states = sample_states(n, box, args.seed)
    true_derivatives = pendulum_dynamics_tensor(t=0, state=states)
    fit = train_as_post if as_post else partial(train, period=2 * math.pi)
    model = fit(states, true_derivatives, epochs=epochs, seed=args.seed, device=args.device, on_epoch=print_epoch)
    replaced = ", in the place of the weights that were there" if Path(output).exists() else ""
    save_weights(output, model)
    say(f"Wrote {output}{replaced}")
    say(verdict(output, model, *measure(model)))


if __name__ == "__main__":
    run(main)
