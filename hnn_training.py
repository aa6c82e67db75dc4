"""Train the HNN: match the derivatives of the learned H to those of the true pendulum.

    loss = mean of ([∂H/∂p, −∂H/∂q] − [dq/dt, dp/dt])²    over the states and both components

train_as_post() is the post's loop: Adam on all the weights. train() minimises the same errors by another route, in
units in which q, p and H are of size 1, so that both errors count alike, and with a small ridge.

Up to its constant H = h₂ · w, with output weights w and hidden units h₂ that depend on the hidden layers θ, so that the
predicted derivatives are linear in w. The best w for given θ is then a least-squares solution:

    predicted derivatives = A(θ) w                   A holds ∂h₂/∂p and −∂h₂/∂q
    w*(θ) = argmin |A(θ) w − y|² + ridge² |w|²       y: the true derivatives; the ridge keeps w small

That leaves θ, which L-BFGS moves. Let S be the sum at w*(θ). By the chain rule dS/dθ = ∂S/∂θ + ∂S/∂w · dw*/dθ, and
∂S/∂w is 0 at w*: the gradient is taken with w held fixed (variable projection: Golub & Pereyra 1973; code in support/).
At the end w is solved for once more, with extra equations H(π, p) − H(−π, p) = 0, so that no turn gains energy.

uv run python hnn_training.py                       writes hamiltonian_nn_1.pth
uv run python hnn_training.py --recipe post         trains as the post does; writes hamiltonian_nn_post.pth
"""

import copy
import math

import torch
from torch import nn

from HNN import CHECKPOINT, HNN
from hnn_model_derivs import derivative_error, get_model_time_derivatives, measure
from pendulum_tensor import POST_BOX, TRAINING_BOX, pendulum_dynamics_tensor, sample_states
from support.data import ENOUGH_STATES, FEWEST_STATES, VALIDATION_PART, Units, explained, prepare, ranges, split
from support.files import CHECKPOINTS, check_output
from support.inputs import check_count, check_finite_loss, check_seed
from support.least_squares import choose_ridge
from support.options import Options
from support.terminal import progress, run, say
from support.torch_state import gradients_on, new_network
from support.trust import judge_derivatives
from support.variable_projection import best_network, circle_rows, features, fit_hidden_layers, smooth_hidden_layers
from support.weights import save_weights

POINTS = 1000
POST_EPOCHS, POST_WEIGHTS = 1200, "hamiltonian_nn_post.pth"  # of the post's recipe
EPOCHS = 9  # of ours, of five iterations of L-BFGS each
IMPROVEMENT = 0.9  # an epoch is kept if its validation loss is below this part of the best; smaller gains may be chance


@gradients_on()
def train_as_post(states, true_derivatives, epochs=POST_EPOCHS, seed=0, device="cpu", on_epoch=None):
    """The HNN that the post's loop ends with: Adam at 1e-2 on all layers, epochs 0 to `epochs`, in float32.

    Arguments and errors are those of train(), less period and ridge. No states are kept for validation, so that
    on_epoch(epoch, loss, None, model) is told of no validation loss.
    """
    x, y = prepare(states, true_derivatives, epochs, seed, device, torch.float32)
    model = new_network(HNN, seed).to(x)
    loss_fn = nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for epoch in progress(range(epochs + 1), desc="training", unit="epoch"):
        predicted_derivatives = get_model_time_derivatives(model, x)
        loss = loss_fn(predicted_derivatives, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        check_finite_loss(epoch, loss.item())
        if on_epoch:
            on_epoch(epoch, loss.item(), None, model)
    return model


@gradients_on()
def train(states, true_derivatives, epochs=EPOCHS, seed=0, period=None, device="cpu", on_epoch=None, ridge=None):
    """The HNN, in float64, whose Hamilton's equations best fit `true_derivatives` at `states`, both (N, 2).

    The data may be of any Hamiltonian system of one degree of freedom, in any units, and noisy. Where q is an angle,
    `period` is its period. A fifth of the states, drawn with `seed`, is kept out of the fit and tells which epoch is
    best; the fit takes 1,000 of the others at most (ENOUGH_STATES), and the last solve takes all states.
    `on_epoch(epoch, loss, validation_loss, model)` is called from epoch 0, the first solve, to the last. The `ridge`, a
    fraction of the Frobenius norm |A|, is chosen from the data where it is not given.

    The HNN knows its period and the ranges of q and p of its data. Its `validation_loss` is that of the best epoch, and
    `explained` is 1 − (mean squared error / mean square) of the derivatives, in scaled units. Its H(0, 0) is 0, since
    the constant of H is free. Raises ValueError for data that cannot be fitted, ArithmeticError where the loss stops
    being finite; warns where the model explains less than nine tenths.
    """
    states, derivatives = prepare(states, true_derivatives, epochs, seed, device, torch.float64, period)  # (N, 2) each
    # Units σ_q, σ_p, E and σ_q σ_p / E of q, p, H and t make the data of size 1 and keep Hamilton's equations.
    units = Units(states, derivatives)
    x, y = units.of_states(states), units.of_derivatives(derivatives)
    fit, validation = split(len(x), seed)
    hidden = smooth_hidden_layers(HNN, seed).to(x)
    A = features(hidden, x[fit])
    # If none is given: the ridge with which the first hidden layers best predict states that they have not seen.
    ridge = (choose_ridge(A, y[fit]) if ridge is None else ridge) * torch.linalg.matrix_norm(A).item()

    least = math.inf
    moves = fit_hidden_layers(hidden, x[fit], y[fit], ridge, epochs)  # each epoch changes `hidden` in place
    for epoch in progress(moves, total=epochs + 1, desc="training", unit="epoch"):
        model = best_network(HNN, hidden, x[fit], y[fit], ridge, units)  # with w*(θ)
        loss, validation_loss = (derivative_error(model, states[part], derivatives[part]) for part in (fit, validation))
        check_finite_loss(epoch, loss + validation_loss)
        if on_epoch:
            on_epoch(epoch, loss, validation_loss, model)
        if validation_loss < IMPROVEMENT * least:
            least, best_hidden = validation_loss, copy.deepcopy(hidden)

    circle = None if period is None else circle_rows(best_hidden, units, period, states[:, 1])
    model = best_network(HNN, best_hidden, x, y, ridge, units, circle)
    model.knows = {"period": period, **ranges(states)}
    model.validation_loss = least
    some = torch.cat([fit, validation])
    predicted = get_model_time_derivatives(model, states[some])
    model.explained = explained(predicted.detach(), states[some], derivatives[some], units)
    return model


def print_epoch(epoch, loss, validation_loss, model):
    """Print the post's line: for each epoch of ours, with the validation loss; for each hundredth of the post's."""
    if validation_loss is not None:
        say(f"Epoch: {epoch} Loss: {loss:.3e} Validation loss: {validation_loss:.3e}")
    elif epoch % 100 == 0:
        say(f"Epoch: {epoch} Loss: {loss:.3e}")


def main():
    options = Options("Train the Hamiltonian neural network on the pendulum.")
    options.add_argument("--recipe", choices=["default", "post"], default="default", help="ours, or the post's own")
    options.add_argument("--epochs", type=int, help=f"epochs to train (default: {EPOCHS}; the post's: {POST_EPOCHS})")
    options.add_number("--points", POINTS, f"states to fit; those above {ENOUGH_STATES:,} enter our last solve only")
    options.add_number("--seed", 0, "seed of the data and the network")
    options.add_device()
    options.add_argument("--output", help=f"the weights' file (default: {CHECKPOINT.name}; the post's: {POST_WEIGHTS})")
    args = options.parse()
    as_post = args.recipe == "post"
    epochs = (POST_EPOCHS if as_post else EPOCHS) if args.epochs is None else check_count("--epochs", args.epochs)
    seed = check_seed(args.seed, "--seed")
    training = {"epochs": epochs, "seed": seed, "device": args.device, "on_epoch": print_epoch}
    points = check_count("--points", args.points, FEWEST_STATES)
    output = args.output or (POST_WEIGHTS if as_post else CHECKPOINT.name)
    is_new = check_output("--output", output, CHECKPOINTS)

    n, box = (points, POST_BOX) if as_post else (round(points / (1 - VALIDATION_PART)), TRAINING_BOX)
    states = sample_states(n, box, seed)
    true_derivatives = pendulum_dynamics_tensor(t=0, state=states)
    if as_post:
        model = train_as_post(states, true_derivatives, **training)
    else:
        model = train(states, true_derivatives, period=2 * math.pi, **training)
    save_weights(output, model)
    say(f"Wrote {output}" if is_new else f"Wrote {output}, in the place of the weights that were there")
    say(judge_derivatives(*measure(model)))


if __name__ == "__main__":
    run(main)
