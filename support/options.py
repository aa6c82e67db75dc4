"""The options that the scripts have in common, each with what it may be."""

import argparse
import re
import sys

from support.files import CHECKPOINTS, FIGURES, FILMS, TABLES, check_output
from support.inputs import LARGEST_COUNT, LARGEST_SEED, check_count

NEGATIVE_NUMBER = re.compile(r"-([\d._]+(e[+-]?\d+)?|inf|nan)", re.IGNORECASE)


class Options(argparse.ArgumentParser):
    """A parser of options that refuses, before any work is done, what an option may not be."""

    def __init__(self, description, **options):
        super().__init__(description=description, **options)
        self.endings = {}  # of the files that the options name

    def parse(self):
        """The options as given; raises ValueError where a file that they name could not be written."""
        words = [f" {word}" if NEGATIVE_NUMBER.fullmatch(word) else word for word in sys.argv[1:]]  # -1e-3 is a value
        args = self.parse_args(words)
        for name, path in vars(args).items():
            self.check_file(name, path)
        return args

    def check_file(self, name, path):
        """`path` as it is; raises ValueError where the option of this name is a file and could not be written there."""
        if name in self.endings and path is not None:
            check_output(f"--{name}", path, self.endings[name])
        return path

    def add_count(self, name, default, text, least=1, most=LARGEST_COUNT):
        """A whole number from `least` to `most`; the default, where it is None, is said in the text."""

        def count(word):
            try:
                whole = int(word) if word.strip().lstrip("+-").isdecimal() else word
                return check_count("it", whole, least, most)
            except ValueError as error:
                raise argparse.ArgumentTypeError(str(error)) from None

        text = text if default is None else f"{text} (default: {default})"
        self.add_argument(name, type=count, default=default, help=text)

    def add_seed(self, what):
        """The seed of random numbers."""
        self.add_count("--seed", 0, f"seed of {what}", 0, LARGEST_SEED)

    def add_file(self, name, endings, text, default=None):
        """The name of a file that is written, with one of these endings."""
        self.endings[name.lstrip("-")] = endings
        self.add_argument(name, metavar=f"FILE{endings[0]}", default=default, help=text)

    def add_figure(self, default):
        """Where the figure and the film go, and whether a window shows the figure."""
        self.add_file("--output", FIGURES, "where to write the figure (default: %(default)s)", default)
        self.add_file("--animate", FILMS, "write a film of the motion there too")
        self.add_argument("--show", action="store_true", help="open a window with the figure too")

    def add_checkpoint(self, defaults):
        """Where the weights go."""
        self.add_file("--output", CHECKPOINTS, f"where to write the weights (default: {defaults})")

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
        self.add_count("--steps", n_steps, "number of steps")
        self.add_argument("--dt", type=float, default=dt, help=f"time step in s (default: {dt})")
        self.add_file("--save", TABLES, "write t, q and p of each orbit there too")

    def add_weights(self):
        """Which checkpoint a script uses."""
        self.add_argument("--weights", help="checkpoint to use (default: this folder's, else the committed one)")

    def add_device(self):
        """Where torch computes."""
        self.add_argument("--device", default="cpu", help="torch device (default: cpu)")
