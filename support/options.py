"""The options that the scripts have in common."""

import argparse
import re
import sys

from support.files import FIGURES, FILMS, TABLES, check_output

NEGATIVE_NUMBER = re.compile(r"-([\d._]+(e[+-]?\d+)?|inf|nan)", re.IGNORECASE)


class Options(argparse.ArgumentParser):
    """A parser of options that refuses, before any work is done, the name of a file that could not be written."""

    def __init__(self, description, **options):
        super().__init__(description=description, **options)
        self.endings = {}  # of the files that the options name

    def parse(self):
        """The options as given; raises ValueError where a file that they name could not be written."""
        words = [f" {word}" if NEGATIVE_NUMBER.fullmatch(word) else word for word in sys.argv[1:]]  # -1e-3 is a value
        args = self.parse_args(words)
        for name, endings in self.endings.items():
            if getattr(args, name) is not None:
                check_output(f"--{name}", getattr(args, name), endings)
        return args

    def add_number(self, name, default, text, kind=int):
        """A number with a default."""
        self.add_argument(name, type=kind, default=default, help=f"{text} (default: {default})")

    def add_file(self, name, endings, text, default=None):
        """The name of a file that is written, with one of these endings."""
        self.endings[name.lstrip("-")] = endings
        self.add_argument(name, metavar=f"FILE{endings[0]}", default=default, help=text)

    def add_figure(self, default):
        """Where the figure and the film go, and whether a window shows the figure."""
        self.add_file("--output", FIGURES, "where to write the figure (default: %(default)s)", default)
        self.add_file("--animate", FILMS, "write a film of the motion there too")
        self.add_argument("--show", action="store_true", help="open a window with the figure too")

    def add_rollout(self, n_steps, dt):
        """What a simulator starts from, and where its numbers go."""
        self.add_argument(
            "--state",
            nargs=2,
            type=float,
            action="append",
            metavar=("Q", "P"),
            help="an initial state, in rad and kg m²/s; repeat it for more (default: the post's three)",
        )
        self.add_number("--steps", n_steps, "number of steps")
        self.add_number("--dt", dt, "time step in s", kind=float)
        self.add_file("--save", TABLES, "write t, q and p of each orbit there too")

    def add_weights(self):
        """Which checkpoint a script uses."""
        self.add_argument("--weights", help="checkpoint to use (default: this folder's, else the committed one)")

    def add_device(self):
        """Where torch computes."""
        self.add_argument("--device", default="cpu", help="torch device (default: cpu)")
