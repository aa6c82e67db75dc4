"""Train the HNN: match the derivatives of the learned H to those of the true pendulum.

    loss = mean |[∂H/∂p, −∂H/∂q] − [dq/dt, dp/dt]|²

The loop is the post's, with one line more. The derivatives are linear in the output layer, so its best weights for
given hidden layers are one least-squares solution; by the envelope theorem loss.backward() at that solution is the
gradient of what remains for the hidden layers (variable projection: Golub & Pereyra 1973).

uv run python hnn_training.py                   writes hamiltonian_nn_1.pth
"""

if __name__ == "__main__":  # first, because the imports below take seconds, in which Ctrl-C may come
    from command_line import expect_interrupts

    expect_interrupts()

import argparse
import inspect
import io
import math
import sys

import torch
from torch import nn
from tqdm import tqdm

from command_line import LARGEST_SEED, check_count, check_output, run, usable_device, write_whole
from HNN import CHECKPOINT, HNN
from hnn_model_derivs import get_model_time_derivatives
from pendulum_nonlinear import pendulum_hamiltonian
from pendulum_tensor import pendulum_dynamics_tensor

TRAINING_BOX = (3.3, 7.5)  # |q| in rad, |p| in kg m²/s: all three orbits, and rotation, with a margin
POST_BOX = (3.0, 3.0)
MEASURED_BOX = (math.pi, 7.0)  # where the result is judged
POINTS = 1000
EPOCHS = 15
POST_EPOCHS = 1200
LBFGS_OPTIONS = {  # max_iter: steps an epoch
    "max_iter": 5,
    "history_size": 50,
    "line_search_fn": "strong_wolfe",
    "tolerance_grad": 0,
    "tolerance_change": 0,
}
HELD_OUT = 0.2  # the part of the states that train() keeps for its test
CLEARLY_BETTER = 0.9  # an epoch is kept whose test loss is below this part of the best: on noisy data, less is chance
FEWEST_STATES = 10
RIDGES = [3e-8, 1e-6, 3e-5, 1e-4, 3e-4, 1e-3, 1e-2]  # relative to the size of the features
POOR_LOSS = 1e-2  # a test MSE above it, in the box of the training, earns a warning


class LBFGS(torch.optim.LBFGS):
    """torch's own, but it does not import torch's compiler, which it would not use: that takes longer than to train."""

    add_param_group = inspect.unwrap(torch.optim.LBFGS.add_param_group)


def sample_states(n, seed=0, box=TRAINING_BOX):
    """`n` states (n, 2) that fill the box evenly: a scrambled Sobol sequence, in float64."""
    unit = torch.quasirandom.SobolEngine(2, scramble=True, seed=seed).draw(n, dtype=torch.float64)  # in [0, 1)²
    return (2 * unit - 1) * torch.tensor(box)


def sample_training_states(points=POINTS, seed=0):
    """So many states of the training box that `points` of them are left to fit when train() has held out its part."""
    return sample_states(round(points / (1 - HELD_OUT)), seed)


def random_states(n=5_000, seed=1, box=MEASURED_BOX, dtype=torch.float64):
    """`n` independent states (n, 2), uniform in the box; those of the defaults are where a result is judged."""
    unit = torch.rand(n, 2, generator=torch.Generator().manual_seed(seed), dtype=dtype)  # in [0, 1)²
    return (2 * unit - 1) * torch.tensor(box)


def true_derivatives_of(states):
    """The targets, (N, 2): the pendulum's own [dq/dt, dp/dt] at `states`, computed without a graph."""
    with torch.no_grad():
        return pendulum_dynamics_tensor(t=0, state=states)


def train(states, true_derivatives, epochs=EPOCHS, seed=0, device="cpu", on_epoch=None):
    """The HNN, in float64, whose Hamilton's equations best fit `true_derivatives` at `states`, both (N, 2).

    Any data of one degree of freedom will do, noisy data too: a fifth of it, drawn with `seed`, is held out and
    decides which epoch's hidden layers are returned, with an output layer solved for all of the data. H is shifted to
    H(0, 0) = 0, since its constant is free. `on_epoch(epoch, loss, test_loss, model)` is called from epoch 0, the
    output layer's solution alone, to the last. Raises ValueError for data that cannot be fitted, ArithmeticError
    where the loss stops being finite.
    """
    x_all, y_all = _as_data(states, true_derivatives, torch.float64, device)
    check_count("the number of epochs", epochs, least=0)
    check_count("the seed", seed, 0, LARGEST_SEED)
    with torch.random.fork_rng(devices=[]):  # seeded, and the caller's random numbers stay as they are
        torch.manual_seed(seed)
        model = HNN().to(x_all)
        order = torch.randperm(len(x_all)).to(x_all.device)
    test, fit = order.tensor_split([round(HELD_OUT * len(order))])
    x, y, x_test, y_test = x_all[fit], y_all[fit], x_all[test], y_all[test]
    standardise_first_layer(model, x)
    ridge = choose_ridge(model, x, y)
    solve_output_layer(model, x, y, ridge)
    loss_fn = nn.MSELoss()
    hidden = [*model.linear_block[0].parameters(), *model.linear_block[2].parameters()]
    optimizer = LBFGS(hidden, **LBFGS_OPTIONS)

    def closure():
        model.zero_grad()
        solve_output_layer(model, x, y, ridge)  # the line that the post does not have
        predicted_derivatives = get_model_time_derivatives(model, x)
        loss = loss_fn(predicted_derivatives, y) / first_loss
        loss.backward()
        return loss

    first_loss = derivative_loss(model, x, y) or 1.0  # the loss's unit: torch's L-BFGS ignores changes below 1e-10
    best_loss, best_weights = math.inf, None
    for epoch in tqdm(range(epochs + 1), desc="training", unit="epoch", delay=1, leave=False):
        if epoch > 0:
            optimizer.step(closure)
            solve_output_layer(model, x, y, ridge)
        loss, test_loss = derivative_loss(model, x, y), derivative_loss(model, x_test, y_test)
        _check_finite(epoch, loss + test_loss)
        if test_loss < CLEARLY_BETTER * best_loss:
            best_loss, best_weights = test_loss, {key: w.clone() for key, w in model.state_dict().items()}
        if on_epoch:
            on_epoch(epoch, loss, test_loss, model)
    model.load_state_dict(best_weights)
    solve_output_layer(model, x_all, y_all, ridge)
    with torch.no_grad():
        model.linear_block[4].bias -= model(torch.zeros(1, 2).to(x))[0]
    return model


def train_as_post(states, true_derivatives, epochs=POST_EPOCHS, seed=0, device="cpu", on_epoch=None):
    """The HNN that the post's loop ends with: Adam at 1e-2 on all layers, epochs 0 to `epochs`, in float32.

    Arguments and errors are those of train(); nothing is held out, and no test loss is reported.
    """
    x, y = _as_data(states, true_derivatives, torch.float32, device)
    check_count("the number of epochs", epochs, least=0)
    check_count("the seed", seed, 0, LARGEST_SEED)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = HNN().to(x)
    loss_fn = nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for epoch in tqdm(range(epochs + 1), desc="training", unit="epoch", delay=1, leave=False):
        predicted_derivatives = get_model_time_derivatives(model, x)
        loss = loss_fn(predicted_derivatives, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        _check_finite(epoch, loss.item())
        if on_epoch:
            on_epoch(epoch, loss.item(), None, model)
    return model


def _check_finite(epoch, loss):
    """Raise ArithmeticError for a loss that is not finite."""
    if not math.isfinite(loss):
        raise ArithmeticError(f"epoch {epoch}: the loss is not finite; try fewer epochs or rescale the data")


def _as_data(states, true_derivatives, dtype, device):
    """Both as finite (N, 2) tensors that can be fitted; raises ValueError where they cannot."""
    device = usable_device(device)
    try:
        x, y = (torch.as_tensor(data) for data in (states, true_derivatives))
    except (RuntimeError, TypeError, ValueError):
        raise ValueError("states and true_derivatives must be arrays or tensors of numbers") from None
    if x.is_complex() or y.is_complex():
        raise ValueError("states and true_derivatives must be real numbers")
    x, y = (data.detach().to(device, dtype) for data in (x, y))
    if x.ndim != 2 or x.shape[-1] != 2 or y.shape != x.shape:
        shapes = f"{tuple(x.shape)} and {tuple(y.shape)}"
        raise ValueError(f"states and true_derivatives must both have the shape (N, 2), not {shapes}")
    if len(x) < FEWEST_STATES:
        raise ValueError(f"the fit needs at least {FEWEST_STATES} states, not {len(x)}; give it more points")
    if not (x.isfinite().all() and y.isfinite().all()):
        raise ValueError("states and true_derivatives must be finite numbers; leave out the rows that are not")
    if (x.std(0) == 0).any():
        raise ValueError("the states are all alike in q or in p; give states that differ in both")
    return x, y


def standardise_first_layer(model, x):
    """Scale the first layer so that the hidden layers start as they would on inputs of mean 0 and deviation 1."""
    layer = model.linear_block[0]
    with torch.no_grad():
        layer.weight /= x.std(0)
        layer.bias -= layer.weight @ x.mean(0)


def output_features(model, x):
    """What the output weights multiply: [∂h₂/∂p; −∂h₂/∂q], (2N, 200), of the last hidden layer h₂."""
    first, second = model.linear_block[0], model.linear_block[2]
    h1 = torch.tanh(first(x))  # (N, 200)
    h2 = torch.tanh(second(h1))  # (N, 200)
    dh2_dq, dh2_dp = ((1 - h2**2) * (((1 - h1**2) * w) @ second.weight.T) for w in first.weight.T)
    return torch.cat([dh2_dp, -dh2_dq])


def solve_output_layer(model, x, y, ridge):
    """Set the output weights w to the minimum of |A w − y|² + (ridge |A|)² |w|², with A the output features.

    Raises ArithmeticError where the hidden layers have diverged.
    """
    with torch.no_grad():
        A = output_features(model, x)
        if not A.isfinite().all():
            raise ArithmeticError("the hidden layers' weights are not finite; try fewer epochs or rescale the data")
        damping = ridge * torch.linalg.matrix_norm(A) * torch.eye(A.shape[1]).to(A)
        targets = torch.cat([y.T.reshape(-1, 1), torch.zeros(len(damping), 1).to(y)])
        w = torch.linalg.lstsq(torch.cat([A, damping]), targets, driver="gels").solution  # (200, 1)
        model.linear_block[4].weight.copy_(w.T)


def choose_ridge(model, x, y):
    """The ridge with the least leave-one-out error of the output layer: the least for clean data, more for noisy.

    A least-squares residual over 1 − its leverage is what it would be without its own datum (Allen 1974).
    """
    with torch.no_grad():
        U, S, _ = torch.linalg.svd(output_features(model, x), full_matrices=False)
        targets = y.T.reshape(-1)

    def leave_one_out_error(ridge):
        kept = S**2 / (S**2 + ridge**2 * (S**2).sum())  # of each singular direction
        residuals = targets - U @ (kept * (U.T @ targets))
        return (residuals / (1 - U**2 @ kept)).square().mean().nan_to_num(nan=math.inf)

    return min(RIDGES, key=leave_one_out_error)


def derivative_loss(model, x, y):
    """The mean squared error of the model's derivatives at x against y."""
    with torch.no_grad():
        return nn.functional.mse_loss(get_model_time_derivatives(model, x), y).item()


def measure(model, box=MEASURED_BOX):
    """(mean squared error of the derivatives, relative L2 error of H up to its constant) on fresh random states."""
    x = random_states(box=box).to(next(model.parameters()))
    with torch.no_grad():
        q, p = x.double().cpu().numpy().T
        H = torch.as_tensor(pendulum_hamiltonian([q, p]))
        error = model(x)[:, 0].double().cpu() - H
        H_error = ((error - error.mean()).norm() / H.norm()).item()
    return derivative_loss(model, x, true_derivatives_of(x)), H_error


def print_epoch(epoch, loss, test_loss, model):
    """The post's line, with the test loss where there is one."""
    tqdm.write(f"Epoch: {epoch} Loss: {loss:.3e}" + ("" if test_loss is None else f" Test loss: {test_loss:.3e}"))


def print_every_hundredth(epoch, loss, test_loss, model):
    """The lines that the post prints."""
    if epoch % 100 == 0:
        print_epoch(epoch, loss, test_loss, model)


def main():
    parser = argparse.ArgumentParser(description="Train the Hamiltonian neural network on the pendulum.")
    parser.add_argument(
        "--recipe",
        choices=["default", "post"],
        default="default",
        help="ours, or the post's own (default: ours)",
    )
    parser.add_argument("--epochs", type=int, help=f"epochs to train (default: {EPOCHS}; the post's: {POST_EPOCHS})")
    parser.add_argument("--points", type=int, default=POINTS, help="states to fit (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the data and the network (default: %(default)s)")
    parser.add_argument("--output", default=CHECKPOINT.name, help="where to write the weights (default: %(default)s)")
    parser.add_argument("--device", default="cpu", help="torch device (default: %(default)s)")
    args = parser.parse_args()
    check_output(args.output)
    check_count("--points", args.points, FEWEST_STATES, 100_000)
    check_count("--seed", args.seed, 0, LARGEST_SEED)
    how = {"seed": args.seed, "device": args.device}
    if args.recipe == "post":
        epochs = POST_EPOCHS if args.epochs is None else check_count("--epochs", args.epochs)
        states = random_states(args.points, args.seed, POST_BOX, torch.float32)
        model = train_as_post(states, true_derivatives_of(states), epochs, on_epoch=print_every_hundredth, **how)
    else:
        epochs = EPOCHS if args.epochs is None else check_count("--epochs", args.epochs)
        states = sample_training_states(args.points, args.seed)
        model = train(states, true_derivatives_of(states), epochs, on_epoch=print_epoch, **how)
    mse, H_error = measure(model)
    print(f"On fresh states in |q| ≤ π, |p| ≤ 7: derivative MSE {mse:.1e}, relative L2 error of H {H_error:.1e}")
    own_mse, _ = measure(model, box=POST_BOX if args.recipe == "post" else TRAINING_BOX)
    if not own_mse <= POOR_LOSS:
        print(
            f"Warning: a poor fit. Even in the box it was trained in, the derivatives' MSE is {own_mse:.1e}, above "
            f"{POOR_LOSS:g}; try more --epochs or --points.",
            file=sys.stderr,
        )
    weights = io.BytesIO()
    torch.save(model.state_dict(), weights)
    write_whole(args.output, weights.getvalue())
    print(f"Wrote {args.output}")


if __name__ == "__main__":
    run(main)
