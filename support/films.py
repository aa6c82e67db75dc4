"""Films: frames drawn by matplotlib, put together as a GIF by Pillow, which matplotlib brings along."""

import io

import numpy as np
from PIL import Image

from pendulum_nonlinear import LENGTH, pendulum_hamiltonian
from support.figures import NAMED, P_LABEL, Q_LABEL, TRUTH, draw_energy_levels, new_figure, styles, wrapped_path
from support.files import write_whole
from support.terminal import progress

FRAME_TIME = 0.05  # s: of one frame, about
FILMED_TIME = 10.0  # s: what a film shows of a run, at most
MARKERS = "os^Dvp*hXP"  # of the bobs: a form for each of ten orbits


def write_gif(path, fig, draw_frame, n_frames, frame_time, dpi=72):
    """Write a GIF of the figure as draw_frame(i) leaves it for each frame, shown for `frame_time` s, in a loop."""
    frames = []
    for i in progress(range(n_frames), desc="film", unit="frame"):
        draw_frame(i)
        fig.set_dpi(dpi)
        fig.canvas.draw()
        fig.set_layout_engine("none")  # the first frame's layout serves all
        image = Image.fromarray(np.asarray(fig.canvas.buffer_rgba())).convert("RGB")
        frames.append(image.quantize(64, palette=frames[0] if frames else None, dither=Image.Dither.NONE))
    content = io.BytesIO()
    frames[0].save(content, "GIF", save_all=True, append_images=frames[1:], duration=round(1000 * frame_time), loop=0)
    write_whole(path, content.getvalue())


def frames_of(n_steps, dt):
    """The steps that a film shows, at most FILMED_TIME of them, the time of a frame in s, and the speed of the film.

    The speed is 1 where the steps of a frame take a whole number of hundredths of a second, by which a GIF counts.
    """
    every = max(round(FRAME_TIME / dt), 1)
    frame_time = max(round(every * dt, 2), 0.02)  # viewers slow down what is shorter
    steps = np.arange(0, min(n_steps, round(FILMED_TIME / dt)) + 1, every)
    return steps, frame_time, every * dt / frame_time


def in_words(speed):
    """The speed of a film."""
    return "in real time" if abs(speed - 1) < 0.01 else f"at {speed:.3g} times the real speed"


def film_orbits(path, orbits, truth=None):
    """Write a film of the swinging rods beside their path in phase space; returns a sentence that says what it shows.

    The bob of the rod is at (l sin q, −l cos q).
    """
    l = LENGTH
    steps, frame_time, speed = frames_of(len(orbits.t) - 1, orbits.dt)
    layers = [truth, orbits] if truth else [orbits]
    fig = new_figure(figsize=(9.6, 4.8), layout="constrained")
    space, phase = fig.subplots(1, 2)
    space.set(xlim=(-1.25 * l, 1.25 * l), ylim=(-1.25 * l, 1.25 * l), aspect="equal", xlabel="x (m)", ylabel="y (m)")
    p_max = 1.15 * max(abs(layer.p[: steps[-1] + 1]).max() for layer in layers) or 1.0  # a pendulum may be at rest
    phase.set(xlim=(-np.pi, np.pi), ylim=(-p_max, p_max), xlabel=Q_LABEL, ylabel=P_LABEL)
    draw_energy_levels(phase, pendulum_hamiltonian)
    space.plot(0, 0, "+", color="0.4")
    moving = []
    for layer in layers:
        is_band = layer is truth
        for k, style in enumerate(styles(min(len(orbits.names), NAMED))):
            style = TRUTH | {"zorder": 1} if is_band else style | {"zorder": 3}
            bob = {"marker": MARKERS[k], "markersize": 16 if is_band else 9, "markevery": [1]}
            gid = f"{layer.kind} {k}"
            (rod,) = space.plot([], [], **style, **bob, gid=gid, label=layer.names[k])
            (path_line,) = phase.plot([], [], **style, gid=gid)
            (here,) = phase.plot([], [], color=style["color"], marker=MARKERS[k], markersize=bob["markersize"] - 2)
            moving.append((layer, k, is_band, rod, path_line, here))
    handles = [rod for _, _, is_band, rod, _, _ in moving if not is_band]
    labels = phase.legend(handles=handles, loc="upper right", fontsize=8, framealpha=0.8).get_texts()

    def draw_frame(i):
        step = steps[i]
        for layer, k, is_band, rod, path_line, here in moving:
            q, p = layer.q[step, k], layer.p[step, k]
            rod.set_data([0, l * np.sin(q)], [0, -l * np.cos(q)])
            q_path, p_path = wrapped_path(layer.q[: step + 1, k], layer.p[: step + 1, k])
            path_line.set_data(q_path, p_path)
            here.set_data(q_path[-1:], [p])
            if not is_band:
                labels[k].set_text(f"{layer.names[k]}: H = {layer.H[step, k]:.3f} J")
        space.set_title(f"t = {orbits.t[step]:.2f} s")

    title = f"learned, over the {truth.name} (grey)" if truth else f"the {orbits.name}"
    n = len(orbits.names)
    phase.set_title(title if n <= NAMED else f"{title}: the first {NAMED} of {n:,} orbits")
    write_gif(path, fig, draw_frame, len(steps), frame_time)
    is_part = steps[-1] < len(orbits.t) - 1
    shown = f"the first {orbits.t[steps[-1]]:.3g} of {orbits.t[-1]:.3g} s" if is_part else "the motion"
    return f"{shown} {in_words(speed)}, {len(steps)} frames"
