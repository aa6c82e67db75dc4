"""Train the HNN: match the derivatives of the learned H to those of the true pendulum.

    loss = mean over states and both components of ([∂H/∂p, −∂H/∂q] − [dq/dt, dp/dt])²

train_as_post() is the post's loop: Adam on all the weights. train() asks for the same by another route. The derivatives
are linear in the output weights w, A w with A from the hidden layers, so w is solved for, and the hidden layers are
moved, by L-BFGS, to make what remains small (variable projection: Golub & Pereyra 1973). Solve and L-BFGS minimise

    |A w − y|² + λ² |w|²        the data and a ridge; y holds the true derivatives, states have deviation 1

and since w is at its minimum, the gradient for the hidden layers is the ordinary one with w held fixed (the envelope
theorem). Where q is an angle, the last solve of w adds |W (h(period / 2, p) − h(−period / 2, p)) · w|² at some p, with
h the last hidden layer and W a large weight, so that H is the same one turn later. A fifth of the states is held out to
tell which epoch is best, and λ is chosen by leaving states out.

uv run python hnn_training.py                   writes hamiltonian_nn_1.pth
"""

import copy
import io
import math

import torch
from torch import nn
from tqdm import tqdm

from HNN import CHECKPOINT, HNN
from hnn_model_derivs import get_model_time_derivatives, judgement
from pendulum_nonlinear import wrap_angle
from pendulum_tensor import POST_BOX, TRAINING_BOX, pendulum_dynamics_tensor, sample_states
from support.checks import FEWEST_STATES, check_count, check_data, check_finite_loss, check_period, check_seed
from support.command_line import Options, progress, run
from support.device import gradients, seeded, usable_device
from support.files import write_whole
from support.least_squares import Units, choose_ridge, solve_output_layer
from support.variable_projection import derivative_features, seam_features, variable_projection

POINTS = 1000
EPOCHS = 9  # of 5 L-BFGS iterations each
POST_EPOCHS = 1200
HELD_OUT = 0.2  # the part of the states that train() keeps for its test
FIRST_WEIGHTS = 0.5  # of their usual size: smoother features, which fit better and follow noise less
ENOUGH_BETTER = 0.9  # an epoch is kept if its test loss is below this part of the best so far; less may be chance


@gradients()
def train_as_post(states, true_derivatives, epochs=POST_EPOCHS, seed=0, device="cpu", on_epoch=None):
    """The HNN that the post's loop ends with: Adam at 1e-2 on all layers, epochs 0 to `epochs`, in float32.

    Arguments and errors are those of train(); nothing is held out, and no test loss is reported.
    """
    x, y = prepare(states, true_derivatives, epochs, seed, device, torch.float32)
    model = new_hnn(seed).to(x)
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


@gradients()
def train(states, true_derivatives, epochs=EPOCHS, seed=0, period=None, device="cpu", on_epoch=None):
    """The HNN, in float64, whose Hamilton's equations best fit `true_derivatives` at `states`, both (N, 2).

    Any data of one degree of freedom will do, in any units, noisy data too. A fifth of it, drawn with `seed`, is held
    out and decides which epoch's hidden layers are returned, with an output layer solved for all of the data. The mean
    squared error on that fifth, before this last solve, is the model's `test_loss`. Where q is an angle, `period` is
    its period: q is taken modulo it, and H is made the same one period apart; a rollout wants the same. H is
    shifted to H(0, 0) = 0, since its constant is free.
    `on_epoch(epoch, loss, test_loss, model)` is called from epoch 0, the output layer's solution alone, to the last.
    Raises ValueError for data that cannot be fitted, ArithmeticError where the loss stops being finite.
    """
    x_given, y_given = prepare(states, true_derivatives, epochs, seed, device, torch.float64)
    x_given[:, 0] = wrap_angle(x_given[:, 0], check_period(period))
    units = Units(x_given, y_given)
    x, y = units.of_states(x_given), units.of_derivatives(y_given)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    test, fit = order.tensor_split([round(HELD_OUT * len(x))])
    network = new_hnn(seed).to(x)
    with torch.no_grad():
        network.linear_block[0].weight *= FIRST_WEIGHTS
    ridge = choose_ridge(derivative_features(network.linear_block[:-1], x[fit]), y[fit])
    least = math.inf
    for epoch in variable_projection(
        network, x[fit], y[fit], ridge, epochs, predict=get_model_time_derivatives, features=derivative_features
    ):
        model = units.undo(copy.deepcopy(network))
        with torch.no_grad():
            errors = get_model_time_derivatives(model, x_given) - y_given  # (N, 2)
        loss, test_loss = (errors[part].square().mean().item() for part in (fit, test))
        check_finite_loss(epoch, loss + test_loss)
        scaled_test_loss = units.of_derivatives(errors[test]).square().mean().item()
        if scaled_test_loss < ENOUGH_BETTER * least:
            least, best, best_test_loss = scaled_test_loss, copy.deepcopy(network), test_loss
        if on_epoch:
            on_epoch(epoch, loss, test_loss, model)
    hidden, output = best.linear_block[:-1], best.linear_block[-1]
    seam = None if period is None else seam_features(hidden, units, period, x_given[:, 1])
    solve_output_layer(output, derivative_features(hidden, x), y, ridge, zero_rows=seam)
    model = units.undo(best)
    model.test_loss, model.trained_period = best_test_loss, period
    return model


def new_hnn(seed):
    """An untrained HNN, the same for the same seed."""
    with seeded(seed):
        return HNN()


def prepare(states, true_derivatives, epochs, seed, device, dtype):
    """The data as tensors (N, 2), once everything that train() and train_as_post() are given has been checked."""
    check_count("the number of epochs", epochs, least=0)
    check_seed(seed)
    device = usable_device(device)
    return (torch.tensor(data, dtype=dtype, device=device) for data in check_data(states, true_derivatives))


def print_epoch(epoch, loss, test_loss, model):
    """The post's line, with the test loss where there is one."""
    tqdm.write(f"Epoch: {epoch} Loss: {loss:.3e}" + ("" if test_loss is None else f" Test loss: {test_loss:.3e}"))


def print_every_hundredth(epoch, loss, test_loss, model):
    """The lines that the post prints."""
    if epoch % 100 == 0:
        print_epoch(epoch, loss, test_loss, model)


def main():
    options = Options("Train the Hamiltonian neural network on the pendulum.")
    options.add_argument("--recipe", choices=["default", "post"], default="default", help="ours, or the post's own")
    options.add_argument("--epochs", type=int, help=f"epochs to train (default: {EPOCHS}; the post's: {POST_EPOCHS})")
    options.add_number("--points", POINTS, "states to fit")
    options.add_number("--seed", 0, "seed of the data and the network")
    options.add_device()
    options.add_weights_output(CHECKPOINT.name)
    args = options.parse()
    points = check_count("--points", args.points, FEWEST_STATES, 100_000)
    as_post = args.recipe == "post"
    epochs = (POST_EPOCHS if as_post else EPOCHS) if args.epochs is None else check_count("--epochs", args.epochs)
    how = {"epochs": epochs, "seed": check_seed(args.seed, "--seed"), "device": args.device}
    box = POST_BOX if as_post else TRAINING_BOX
    states = sample_states(points if as_post else round(points / (1 - HELD_OUT)), box, args.seed)
    true_derivatives = pendulum_dynamics_tensor(t=0, state=states)
    if as_post:
        model = train_as_post(states, true_derivatives, on_epoch=print_every_hundredth, **how)
    else:
        model = train(states, true_derivatives, period=2 * math.pi, on_epoch=print_epoch, **how)
    weights = io.BytesIO()
    torch.save(model.state_dict(), weights)
    write_whole(args.output, weights.getvalue())
    print(f"Wrote {args.output}")
    print(judgement(model))


if __name__ == "__main__":
    run(main)
