"""Whatever a user can get wrong ends in one sentence and with no file touched; what is right in any form is taken."""

import numpy as np
import pytest
import torch
from in_process import run_script
from systems import SHORT_DT, UNIT_P
from torch import nn

import dist_dynamic
import hnn_training
import rigid_simulator_HNN
import rigid_simulator_implicit
from dist_dynamic import carry, polygon_area
from HNN import CHECKPOINT, HNN, load_hnn
from hnn_model_derivs import get_model_time_derivatives, learned_dynamics, measure
from hnn_training import train, train_as_post
from pendulum_nonlinear import pendulum_dynamics
from pendulum_tensor import pendulum_dynamics_tensor
from rigid_simulator_HNN import run_simulation_HNN
from rigid_simulator_implicit import rollout, run_simulation, symplectic_euler_step

pytestmark = pytest.mark.filterwarnings("error")
TRUTH, LEARNED, ENSEMBLE, TRAINING = rigid_simulator_implicit, rigid_simulator_HNN, dist_dynamic, hnn_training

REFUSED = [
    (TRUTH, "--steps 0", "number of steps must be a whole number from 1"),
    (TRUTH, "--steps -3", "number of steps must be a whole number from 1"),
    (TRUTH, "--steps 10000001", "10,000,000"),
    (TRUTH, "--steps many", "--steps: invalid int value: 'many'"),
    (TRUTH, "--steps 1.5", "--steps: invalid int value: '1.5'"),
    (TRUTH, "--dt 0", "dt must be a number above 0"),
    (TRUTH, "--dt -1e-3", "dt must be a number above 0"),
    (TRUTH, "--dt 1e9", "unstable"),
    (TRUTH, "--dt nan", "dt must be"),
    (TRUTH, "--dt inf", "dt must be"),
    (TRUTH, "--dt fast", "--dt: invalid float value: 'fast'"),
    (TRUTH, "--state 1", "--state: expected 2 arguments"),
    (TRUTH, "--state 1 x", "--state: invalid float value: 'x'"),
    (TRUTH, "--state nan 0", "finite"),
    (TRUTH, "--state 0 -inf", "finite"),
    (TRUTH, "--state 1e300 0", "at most"),
    (TRUTH, "--colour red", "unrecognized arguments: --colour red"),
    (TRUTH, "--output figure.xyz", "--output 'figure.xyz' is not the name of a .png or .pdf or .svg"),
    (TRUTH, "--output figure.pgf", "--output 'figure.pgf' is not the name of a .png"),
    (TRUTH, "--output figure", "--output 'figure' is not the name of a .png"),
    (TRUTH, ["--output", ""], "--output '' is not the name of a .png"),
    (TRUTH, "--output .png", "--output '.png' is not the name of a .png"),
    (TRUTH, "--output -1.png", "--output: expected one argument"),
    (TRUTH, "--output .", "--output '.' is not the name of a .png"),
    (TRUTH, "--output /dev/full", "--output '/dev/full' is not the name of a .png"),
    (TRUTH, "--output HNN.py", "--output 'HNN.py' is not the name of a .png"),
    (TRUTH, "--output nowhere/figure.png", "--output nowhere/figure.png: there is no folder"),
    (TRUTH, "--output drawn.png/figure.png", "--output drawn.png/figure.png: there is no folder"),
    (TRUTH, "--output folder.png", "--output folder.png is not a file"),
    (TRUTH, "--output loop.png", "--output loop.png"),
    (TRUTH, "--output /sys/figure.png", "--output /sys/figure.png cannot be written"),
    (TRUTH, ["--output", 300 * "x" + ".png"], "too long"),
    (TRUTH, "--output note.png", "--output note.png would replace a file that is no .png"),
    (TRUTH, "--output link-to-note.png", "--output link-to-note.png would replace a file that is no .png"),
    (TRUTH, "--output drawn.pdf", "--output drawn.pdf would replace a file that is no .pdf"),
    (TRUTH, "--save data.csv", "--save data.csv would replace a file that is no .csv"),
    (TRUTH, "--save orbits.txt", "--save 'orbits.txt' is not the name of a .csv"),
    (TRUTH, ["--save", ""], "--save '' is not the name of a .csv"),
    (TRUTH, "--animate .gif", "--animate '.gif' is not the name of a .gif"),
    (TRUTH, "--animate film.mp4", "--animate 'film.mp4' is not the name of a .gif"),
    (TRUTH, "--animate x.gif --output x.gif", "--output 'x.gif' is not the name of a .png"),
    (LEARNED, "--steps 0", "number of steps"),
    (LEARNED, "--dt 1000", "unstable"),
    (LEARNED, "--state 0 1e7", "at most"),
    (LEARNED, "--weights nowhere.pth", "no weights at nowhere.pth"),
    (LEARNED, "--weights .", "not a file"),
    (LEARNED, "--weights loop.png", "no weights at loop.png"),
    (LEARNED, "--weights kept.pth", "kept.pth is not a checkpoint"),
    (LEARNED, "--weights weights.png --output weights.png", "--output weights.png would replace"),
    (LEARNED, "--weights drawn.png --output drawn.png", "--weights and --output name one file, drawn.png"),
    (LEARNED, "--weights link.png --output drawn.png", "--weights and --output name one file, drawn.png"),
    (LEARNED, "--weights drawn.png --output link.png", "--weights and --output name one file, link.png"),
    (LEARNED, "--weights good.pth --output good.pth", "--output 'good.pth' is not the name of a .png"),
    (LEARNED, "--device cuda:99", "device 'cuda:99' cannot be used"),
    (LEARNED, "--device abacus", "device 'abacus' cannot be used"),
    (LEARNED, "--device hpu", "device 'hpu' cannot be used"),
    (LEARNED, "--device mps", "device 'mps' cannot be used"),
    (ENSEMBLE, "--points 0", "--points must be"),
    (ENSEMBLE, "--points -5", "--points must be"),
    (ENSEMBLE, "--points 1e3", "invalid int"),
    (ENSEMBLE, "--steps 0", "--steps must be"),
    (ENSEMBLE, "--seed -1", "--seed must be"),
    (ENSEMBLE, "--seed 4294967296", "--seed must be"),
    (ENSEMBLE, "--weights kept.pth", "kept.pth is not a checkpoint"),
    (ENSEMBLE, "--output nowhere/figure.png", "no folder"),
    (ENSEMBLE, "--animate nowhere/film.gif", "--animate nowhere/film.gif: there is no folder"),
    (TRAINING, "--epochs 0", "--epochs must be"),
    (TRAINING, "--epochs -5", "--epochs must be"),
    (TRAINING, "--epochs 10000001", "--epochs must be"),
    (TRAINING, "--recipe post --epochs 0", "--epochs must be"),
    (TRAINING, "--points 9", "--points must be"),
    (TRAINING, "--points 100001", "--points must be"),
    (TRAINING, "--seed -1", "--seed must be"),
    (TRAINING, "--seed one", "invalid int"),
    (TRAINING, "--recipe theirs", "invalid choice"),
    (TRAINING, "--device cuda:99", "device 'cuda:99' cannot be used"),
    (TRAINING, "--output HNN.py", "--output 'HNN.py' is not the name of a .pth or .pt"),
    (TRAINING, "--output nowhere/weights.pth", "no folder"),
    (TRAINING, "--output /dev/null", "--output '/dev/null' is not the name of a .pth or .pt"),
]


def contents(folder):
    """What is in a folder: the bytes of its files, and the targets of its links."""
    return {f.name: f.readlink() if f.is_symlink() else f.is_file() and f.read_bytes() for f in folder.iterdir()}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder where the user stands, with files that must not be lost and some that are not what they seem."""
    monkeypatch.chdir(tmp_path)
    for name, content in {
        "kept.pth": b"what the user had",
        "good.pth": CHECKPOINT.read_bytes(),
        "weights.png": CHECKPOINT.read_bytes(),
        "drawn.png": b"\x89PNG and more",
        "drawn.pdf": b"\x89PNG and more",
        "note.png": b"a note",
        "data.csv": b"a,b\n1,2\n",
        "HNN.py": b"import torch\n",
    }.items():
        (tmp_path / name).write_bytes(content)
    for name, target in {"link.png": "drawn.png", "link-to-note.png": "note.png", "loop.png": "loop.png"}.items():
        (tmp_path / name).symlink_to(target)
    (tmp_path / "folder.png").mkdir()
    return tmp_path


@pytest.mark.parametrize("module, arguments, message", REFUSED, ids=lambda value: getattr(value, "__name__", None))
def test_a_script_refuses_in_one_sentence_and_touches_nothing(module, arguments, message, folder):
    before = contents(folder)
    outcome = run_script(module.main, arguments)
    *usage, sentence = outcome.err.splitlines()
    assert message in sentence
    assert outcome.status == (2 if usage else 1)
    assert not usage or usage[0].startswith("usage: ")
    assert contents(folder) == before


def test_a_working_folder_that_was_deleted_is_refused_by_the_option_that_needs_it(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    outcome = run_script(TRUTH.main, "--steps 3")
    assert (outcome.status, outcome.err.count("\n")) == (1, 1)
    assert outcome.err.startswith("Error: --output FIG3.png cannot be written")
    elsewhere = tmp_path / "elsewhere.png"
    outcome = run_script(LEARNED.main, ["--weights", "good.pth", "--output", str(elsewhere)])
    assert (outcome.status, outcome.err.count("\n")) == (1, 1) and "no weights at good.pth" in outcome.err
    assert run_script(TRUTH.main, ["--steps", "3", "--output", str(elsewhere)]).status == 0 and elsewhere.is_file()


def needs_all_memory_in_torch():
    torch.empty(2**50, dtype=torch.uint8)


def needs_all_memory_in_numpy():
    np.ones(2**50, dtype=np.uint8)


@pytest.mark.parametrize("main", [needs_all_memory_in_torch, needs_all_memory_in_numpy])
def test_more_memory_than_there_is_ends_in_one_sentence(main):
    outcome = run_script(main)
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err == "Error: this needs more memory than there is; ask for fewer steps, points or states.\n"


def has_a_mistake():
    raise RuntimeError("a mistake of ours")


def test_a_mistake_of_ours_is_not_hidden():
    with pytest.raises(RuntimeError, match="a mistake of ours"):
        run_script(has_a_mistake)


@pytest.mark.parametrize("simulate", [run_simulation, run_simulation_HNN])
@pytest.mark.parametrize(
    "state, how, message",
    [
        ([1.0], {}, r"shape \(1,\)"),
        ([1.0, 2.0, 3.0], {}, r"shape \(3,\)"),
        (np.zeros((2, 3)), {}, r"shape \(2, 3\)"),
        (np.zeros((2, 2, 2)), {}, r"shape \(2, 2, 2\)"),
        (np.zeros((0, 2)), {}, r"shape \(0, 2\)"),
        (0.5, {}, r"shape \(\)"),
        ("ab", {}, "numbers, not ab"),
        (["0.5", "x"], {}, "numbers, not .'0.5', 'x'."),
        ([1j, 0], {}, "numbers"),
        (torch.tensor([1j, 0]), {}, "numbers"),
        (np.zeros((3, 2), bool), {}, "numbers, not .*False False"),
        (torch.zeros(2, device="meta"), {}, "numbers"),
        (None, {}, "numbers, not None"),
        ([[1, 2], [3]], {}, "numbers, not .*1, 2.*3"),
        ([np.nan, 0], {}, "finite"),
        ([[1, 0], [0, np.nan]], {}, r"finite.*\[0.0, nan\]"),
        (torch.tensor([0, torch.inf]), {}, "finite"),
        ([0.5, 0], {"n_steps": 0}, "number of steps"),
        ([0.5, 0], {"n_steps": -1}, "number of steps"),
        ([0.5, 0], {"n_steps": 2.0}, "number of steps"),
        ([0.5, 0], {"n_steps": True}, "number of steps"),
        ([0.5, 0], {"n_steps": 10**12}, "number of steps"),
        ([0.5, 0], {"dt": 0}, "dt must"),
        ([0.5, 0], {"dt": -0.05}, "dt must"),
        ([0.5, 0], {"dt": np.nan}, "dt must"),
        ([0.5, 0], {"dt": np.inf}, "dt must"),
        ([0.5, 0], {"dt": "0.05"}, "dt must"),
    ],
)
def test_a_rollout_refuses_in_one_line(simulate, state, how, message):
    with pytest.raises(ValueError, match=message) as caught:
        simulate(state, **how)
    assert "\n" not in str(caught.value)


# Numbers in any form. All of these are small multiples of 1/8, which every form holds exactly.

FORMS = {
    "reversed": lambda x: x[::-1].copy()[::-1],
    "big-endian": lambda x: x.astype(">f8"),
    "longdouble": lambda x: x.astype(np.longdouble),
    "float16": lambda x: x.astype(np.float16),
    "list of rows": lambda x: x.tolist(),
    "tuple of arrays": tuple,
    "tensor": torch.tensor,
    "tensor with a gradient": lambda x: torch.tensor(x, requires_grad=True),
    "bfloat16 tensor": lambda x: torch.tensor(x).bfloat16(),
    "sparse tensor": lambda x: torch.tensor(x).to_sparse(),
    "list of tensors": lambda x: list(torch.tensor(x)),
    "list of rows of tensors": lambda x: [[torch.tensor(value, requires_grad=True) for value in row] for row in x],
    "made under inference_mode": torch.inference_mode()(torch.tensor),
}
X = np.round(8 * np.random.default_rng(0).normal(size=(50, 2))) / 8
Y = np.stack([X[:, 1], -2 * X[:, 0]], axis=-1)


def same_weights(a, b):
    return all(torch.equal(u, v) for u, v in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


@pytest.fixture(scope="module")
def trained():
    return train(X, Y, epochs=1)


@pytest.mark.parametrize("form", FORMS)
def test_states_and_data_may_come_in_any_form(form, trained):
    turned = FORMS[form]
    for simulate in (run_simulation, run_simulation_HNN):
        np.testing.assert_array_equal(simulate(turned(X), n_steps=3), simulate(X, n_steps=3))
        np.testing.assert_array_equal(simulate(turned(X)[0], n_steps=3), simulate(X[0], n_steps=3))
    np.testing.assert_array_equal(carry(turned(X), pendulum_dynamics), carry(X, pendulum_dynamics))
    assert polygon_area(turned(X)) == polygon_area(X)
    assert same_weights(train(turned(X), turned(Y), epochs=1), trained)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_gradients_may_be_off(mode, trained):
    model = HNN()
    with mode():
        data = torch.tensor(X), torch.tensor(Y)
        assert same_weights(train(*data, epochs=1), trained)
        learned_orbit, judged, made_in_the_mode = run_simulation_HNN(X, n_steps=3), measure(model), HNN()
        assert np.isfinite(measure(made_in_the_mode)).all()
    np.testing.assert_array_equal(learned_orbit, run_simulation_HNN(X, n_steps=3))
    assert judged == measure(model)


@pytest.mark.slow
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_gradients_may_be_off_for_the_posts_loop_too(mode):
    with mode():
        model = train_as_post(torch.tensor(X), torch.tensor(Y), epochs=1)
    assert same_weights(model, train_as_post(X, Y, epochs=1))


WHOLE = np.array([[0, 2], [3, 0], [0, 5], [1, 1]])


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64, ">i4", np.float16, np.float32])
def test_whole_numbers_of_any_type_are_carried_and_measured_as_float64(dtype):
    def flow(states):
        return carry(states, pendulum_dynamics, n_steps=3)

    np.testing.assert_array_equal(flow(WHOLE.astype(dtype)), flow(WHOLE.astype(float)))
    square = np.array([[100, 100], [102, 100], [102, 103], [100, 103]], dtype=dtype)
    assert polygon_area(square) == polygon_area(square[::-1]) == 6


@pytest.mark.parametrize("n_steps", [-1, 0.5, True])
def test_states_are_not_carried_a_number_of_steps_that_is_none(n_steps):
    with pytest.raises(ValueError, match="the number of steps must be a whole number from 0"):
        carry(WHOLE, pendulum_dynamics, n_steps=n_steps)


def test_a_negative_number_is_a_value_in_any_notation(folder):
    outcome = run_script(TRUTH.main, "--steps 3 --state -1e-3 -.002 --state -3E-3 -0.004 --state -0 -5")
    orbits = [line.split("]")[0] for line in outcome.out.splitlines()[1:4]]
    assert orbits == ["[-0.001, -0.002", "[-0.003, -0.004", "[-0, -5"]


# Models in any form.


def with_silu(model):
    model.linear_block[1] = nn.SiLU()
    return model


def with_a_hook(model):
    model.register_forward_hook(lambda module, arguments, H: H + arguments[0].square().sum(1, keepdim=True) / 10)
    return model


def with_a_hook_inside(model):
    model.linear_block[1].register_forward_hook(lambda module, arguments, h: 0.9 * h)
    return model


def with_a_third_hidden_layer(model):
    torch.manual_seed(0)
    model.linear_block = nn.Sequential(*model.linear_block[:4], nn.Linear(200, 200), nn.Tanh(), model.linear_block[4])
    return model


def without_a_hidden_layer(model):
    return lambda x: x[:, 1] ** 2 / 2 + 9.8 * (1 - x[:, 0].cos())  # (B,)


@pytest.mark.parametrize(
    "changed",
    [with_silu, with_a_hook, with_a_hook_inside, with_a_third_hidden_layer, without_a_hidden_layer, HNN.float],
)
def test_any_model_of_H_is_rolled_out_as_its_own_derivatives_say(changed):
    model, same, start = changed(load_hnn()), changed(load_hnn()), np.array([[0.5, 0.0], [1.0, 3.0]])
    if isinstance(same, nn.Module):
        same.double()

    def by_autograd(t, state):
        return list(get_model_time_derivatives(same, torch.tensor(np.stack(state, axis=-1))).detach().numpy().T)

    expected = rollout(by_autograd, *start.T, n_steps=5)
    np.testing.assert_allclose(run_simulation_HNN(start, model, n_steps=5), expected, rtol=0, atol=1e-10)


def test_a_model_in_training_mode_is_evaluated_and_stays_in_training_mode():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 20), nn.BatchNorm1d(20), nn.Tanh(), nn.Linear(20, 1))
    model(torch.randn(30, 2))
    before = {key: value.clone() for key, value in model.state_dict().items()}
    in_training_mode, judged = run_simulation_HNN(X, model, n_steps=3), measure(model)
    assert model.training and all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    np.testing.assert_array_equal(run_simulation_HNN(X, model.eval(), n_steps=3), in_training_mode)
    assert measure(model) == judged


def with_nan_weights():
    model = HNN()
    with torch.no_grad():
        model.linear_block[2].weight[3, 4] = torch.nan
    return model


@pytest.mark.parametrize(
    "model, message",
    [
        (300, "300 is none"),
        ("weights.pth", "'weights.pth' is none"),
        (torch.zeros(3), "is none"),
        (HNN, "cannot be used"),
        (nn.Linear(2, 2), "one energy H for each state"),
        (nn.Linear(3, 1), r"fails on float64 states of shape \(B, 2\)"),
        (lambda x: x.square().mean(), "one energy H for each state"),
        (lambda x: (x - x.mean(0)).square().sum(1), "depends on no other state"),
        (lambda x: "an energy", "cannot be used"),
        (lambda x: torch.zeros(len(x), 1), "cannot be used"),
        (with_nan_weights(), "model's linear_block.2.weight holds values that are not finite"),
    ],
)
def test_what_is_no_model_of_H_is_refused(model, message):
    with pytest.raises(ValueError, match=message):
        run_simulation_HNN([0.5, 0.0], model, 3)


def test_steps_in_the_place_of_the_model_are_named():
    with pytest.raises(ValueError, match=r"a model of H maps states.*300 is none"):
        run_simulation_HNN([0.5, 0.0], 300)


def not_for_q_above_1(x):
    q, p = x[:, :1], x[:, 1:]
    return p**2 / 2 + torch.where(q > 1, (1 - q).sqrt(), 0)  # dp/dt is NaN from there on


def not_for_p_below_minus_1(x):
    q, p = x[:, :1], x[:, 1:]
    return q + p**2 / 2 + torch.where(p < -1, (1 + p).sqrt(), 0)  # dq/dt is NaN from there on, and dp/dt is not


@pytest.mark.parametrize(
    "model, start, message",
    [
        (not_for_q_above_1, [0.9, 1.0], r"step \d+ .*p is not finite; the dynamics or model give no number there"),
        (not_for_p_below_minus_1, [0.0, 0.0], "q after step 2. is not finite; the dynamics or model give no number"),
    ],
)
def test_a_model_that_gives_no_number_is_named_and_no_orbit_holds_nan(model, start, message):
    with pytest.raises(ArithmeticError, match=message):
        run_simulation_HNN(start, model, n_steps=100)
    with pytest.raises(ArithmeticError, match="not finite; the dynamics or model give no number there"):
        carry([start], learned_dynamics(model), n_steps=100)


def test_a_model_too_wild_for_the_step_says_at_which_step_and_what_to_try():
    torch.manual_seed(0)
    model = HNN().double()
    with torch.no_grad():
        model.linear_block[4].weight *= 1e6
    with pytest.raises(ArithmeticError, match=r"step \d+ .*p does not settle; try a smaller dt"):
        run_simulation_HNN([0.5, 0.0], model)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_step_settles_for_tensors_of_either_precision(dtype):
    model = load_hnn().to(dtype)
    start = np.random.default_rng(0).uniform(-2, 2, size=(2, 100))  # all of them swing, none goes round
    start[1] *= UNIT_P
    q, p = torch.tensor(start, dtype=dtype)

    def dynamics(t, state):
        return list(get_model_time_derivatives(model, torch.stack(state, dim=-1)).detach().unbind(-1))

    for i in range(20):
        q, p = symplectic_euler_step(dynamics, i * SHORT_DT, q, p, SHORT_DT)
    assert q.dtype == p.dtype == dtype
    p_vals, q_vals = rollout(pendulum_dynamics, *start, 20, SHORT_DT)
    np.testing.assert_allclose([q, p / UNIT_P], [q_vals[-1], p_vals[-1] / UNIT_P], rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    "action",
    [
        load_hnn,
        lambda: run_simulation_HNN([0.5, 0.0], n_steps=2),
        lambda: train(X, Y, epochs=1, seed=3),
        lambda: measure(HNN.float(load_hnn())),
        pytest.param(lambda: train_as_post(X, Y, epochs=1, seed=3), marks=pytest.mark.slow),  # it imports for 4 s
    ],
    ids=["load_hnn", "run_simulation_HNN", "train", "measure", "train_as_post"],
)
def test_the_callers_random_numbers_go_on_as_if_nothing_had_happened(action):
    before = torch.get_rng_state()
    action()
    assert torch.equal(torch.get_rng_state(), before)


def test_a_poor_fit_is_saved_with_a_visible_warning(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome = run_script(TRAINING.main, "--epochs 1 --points 10")
    assert (outcome.status, outcome.err) == (0, "")
    assert "Warning: a poor fit" in outcome.out
    assert load_hnn(tmp_path / "hamiltonian_nn_1.pth")


def test_the_true_data_may_be_a_tensor_that_wants_gradients(trained):
    states = torch.tensor(X, requires_grad=True)
    model = train(states, pendulum_dynamics_tensor(0, states), epochs=1)
    assert same_weights(model, train(X, pendulum_dynamics_tensor(0, torch.tensor(X)), epochs=1))
    assert states.grad is None
