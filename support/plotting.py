"""matplotlib as our figures use it: with its own default style, and without a backend unless a window is asked for."""

import os
import sys

from support.command_line import say
from support.notes import note


def import_matplotlib():
    """Import matplotlib, and return the MPLBACKEND that it cannot load, or None.

    A shell may name a backend that is not installed here, as a notebook's does; matplotlib then refuses to be imported.
    """
    backend = os.environ.pop("MPLBACKEND", None)
    was_imported = "matplotlib" in sys.modules
    import matplotlib

    if backend is None:
        return None
    os.environ["MPLBACKEND"] = backend
    try:
        if not was_imported:
            matplotlib.rcParams["backend"] = backend
    except ValueError:
        return backend
    return None


UNUSABLE_BACKEND = import_matplotlib()

import matplotlib.style  # noqa: E402
from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402


def plain_style():
    """A context, or a decorator, in which matplotlib has its default style, whatever a matplotlibrc says."""
    return matplotlib.style.context("default")


def new_figure(show=False, **options):
    """An empty figure, of pyplot where a window will show it, else of Agg, which needs no display and no backend."""
    if UNUSABLE_BACKEND is not None:
        note(f"matplotlib has no backend {UNUSABLE_BACKEND!r} here; figures are drawn without it")
    if show:
        try:
            from matplotlib import pyplot

            return pyplot.figure(**options)
        except Exception as error:  # each backend fails in a way of its own
            note(f"matplotlib cannot open a window here ({' '.join(str(error).split()):.80})")
    fig = Figure(**options)
    FigureCanvasAgg(fig)
    return fig


def show_figure(fig):
    """Open a window with a figure that new_figure(show=True) made, where there is a display."""
    if fig.canvas.required_interactive_framework is None:
        say("There is no display to show it on.")
    else:
        from matplotlib import pyplot

        pyplot.show()
