"""Ensembles: clouds of states, and the closed curve around them, as a flow carries them."""

import numpy as np

from support.drawing import draw_cloud, draw_ensembles, show
from support.files import write_figure
from support.films import frames_of, write_gif

FIRST_POINTS = 1000  # of a boundary
MOST_POINTS = 30_000
SETTLED = 1e-6  # of the area ratio: what more points may still change


class Ensemble:
    """A cloud (n, 2), and a boundary with as many points as its area needs, before and after `n_steps` of a flow.

    flow(states, n_steps=…) gives the states (n, 2) after so many steps, boundary(angles) the points of the curve, and
    area(points) the area inside it.
    """

    def __init__(self, name, flow, cloud, boundary, area, n_steps):
        self.name, self.flow, self.n_steps, self.area = name, flow, n_steps, area
        edges = resolve(boundary, lambda states: flow(states, n_steps=n_steps), area)
        self.edge, self.edge_after, self.is_resolved = edges
        self.cloud, self.cloud_after = cloud, flow(cloud, n_steps=n_steps)

    def ratio(self):
        """The area inside the boundary over what it was, in words."""
        if not self.is_resolved:
            return "area not resolved: too many folds"
        return f"area ratio {self.area(self.edge_after) / self.area(self.edge):.6f}"

    def row(self):
        """A line of numbers: the areas, their ratio, and how many points of the boundary it took."""
        before, after, points = self.area(self.edge), self.area(self.edge_after), len(self.edge)
        row = f"{self.name:<36} area {before:.6f} → {after:.6f} J s, ratio {after / before:.8f}"
        return f"{row}, {points:,} points" if self.is_resolved else f"{row}: not resolved by {points:,} points"


def resolve(boundary, flow, area):
    """The points of a boundary (n, 2), where the flow carries them, and whether they tell the area ratio to SETTLED.

    A point m in the middle of the chord from a to b adds the area ½ (m − a) × (b − m) of a triangle, before and after.
    Where the two, relative to the whole area, differ, the flow bends the chord, and points are added until what they
    change no longer matters.
    """
    angles = np.linspace(0, 2 * np.pi, FIRST_POINTS, endpoint=False)
    before = boundary(angles)
    after = flow(before)
    bent = np.ones(len(angles), dtype=bool)  # of the chord that starts at each point
    while len(angles) < MOST_POINTS:
        a = np.flatnonzero(bent)
        middles = (angles[a] + np.append(angles, 2 * np.pi)[a + 1]) / 2
        middles_before = boundary(middles)
        middles_after = flow(middles_before)
        gains = [triangles(x, a, m) / area(x) for x, m in ((before, middles_before), (after, middles_after))]
        changes = abs(gains[1] - gains[0])
        still_bent = np.zeros(len(angles), dtype=bool)
        still_bent[a] = changes > SETTLED / len(angles)
        bent = np.insert(still_bent, a + 1, still_bent[a])  # both halves of a chord
        angles = np.insert(angles, a + 1, middles)
        before = np.insert(before, a + 1, middles_before, axis=0)
        after = np.insert(after, a + 1, middles_after, axis=0)
        if changes.sum() / 3 <= SETTLED:  # chords half as long leave a third of what halving them has changed
            return before, after, True
    return before, after, False


def triangles(points, a, middles):
    """The areas that the middles add on the chords that start at the points number a."""
    (q_1, p_1), (q_2, p_2) = (middles - points[a]).T, (np.roll(points, -1, axis=0)[a] - middles).T
    return (q_1 * p_2 - q_2 * p_1) / 2


def show_ensembles(args, dt, hamiltonian, ensembles):
    """Print the areas, and write the figure and the film that the options `args` ask for."""
    fig, panels = draw_ensembles(ensembles, hamiltonian)
    for axes, ensemble in zip(panels, ensembles, strict=True):
        axes.set_title(f"{ensemble.name}\n{ensemble.ratio()}")
    fig.suptitle(f"{args.points:,} states after {args.steps:,} steps of {dt} s, t = {args.steps * dt:.2f} s")
    write_figure(args.output, fig)
    print(f"{args.points:,} states, carried {args.steps:,} steps of {dt} s, with the boundary around them:")
    for ensemble in ensembles:
        print(ensemble.row())
        if len(ensemble.cloud) < args.points:
            print(f"  (it carries the first {len(ensemble.cloud):,} states only)")
    print(f"Wrote {args.output}")
    if args.animate is not None:
        print(f"Wrote {args.animate}: {film_ensembles(args.animate, dt, hamiltonian, ensembles)}")
    if args.show:
        show(fig)


def film_ensembles(path, dt, hamiltonian, ensembles):
    """Write a film of the clouds and their boundaries in motion; returns a sentence that says what it shows."""
    n_steps = ensembles[0].n_steps
    steps, frame_time = frames_of(n_steps, dt)
    edges = [[ensemble.edge] for ensemble in ensembles]
    for n in np.diff(steps):
        for ensemble, recorded in zip(ensembles, edges, strict=True):
            recorded.append(ensemble.flow(recorded[-1], n_steps=n))
    clouds = [ensemble.cloud for ensemble in ensembles]
    fig, panels = draw_ensembles(ensembles, hamiltonian, scene=[np.concatenate(recorded) for recorded in edges])
    moving = []

    def draw_frame(i):
        while moving:
            moving.pop().remove()
        for k, (axes, ensemble) in enumerate(zip(panels, ensembles, strict=True)):
            if i > 0:
                clouds[k] = ensemble.flow(clouds[k], n_steps=steps[i] - steps[i - 1])
            moving.extend(draw_cloud(axes, clouds[k], edges[k][i]))
            axes.set_title(f"{ensemble.name}\narea {ensemble.area(edges[k][i]):.6f} J s")
        fig.suptitle(f"t = {steps[i] * dt:.2f} s, step {steps[i]:,}")

    write_gif(path, fig, draw_frame, len(steps), frame_time)
    return f"steps 0 to {steps[-1]:,} of {n_steps:,} in real time, {len(steps)} frames"
