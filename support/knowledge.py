"""What a model knows about itself: its period, the range of p of its data, and the dt of its record."""

import math

from support.checks import check_period, check_positive
from support.notes import note


class KnowsItsData:
    """For an nn.Module whose dict `knows` goes with its weights, in the metadata that torch keeps with a state_dict.

    The keys are those that train() and train_on_motion() know: "period" (None where q is no angle), "p_range" (least
    and greatest p of the data) and "dt" (s, of the record, for a model of motion). Whoever else loads the weights does
    not see them.
    """

    def _save_to_state_dict(self, destination, prefix, keep_vars):
        super()._save_to_state_dict(destination, prefix, keep_vars)
        destination._metadata[prefix[:-1]]["knows"] = dict(self.knows)

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, *rest):
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)
        self.knows = dict(local_metadata.get("knows", {}))


def known(model, what, default=None):
    """What a model knows about itself, or the default."""
    return getattr(model, "knows", {}).get(what, default)


def rollout_period(model, period):
    """The period of q in a rollout, by default the model's own, or 2π where it knows none.

    Raises ValueError for a `period` that is none, or that the model contradicts.
    """
    if period == "own":
        return known(model, "period", 2 * math.pi)
    check_period(period)
    trained = known(model, "period", period)
    is_same = period == trained or (None not in (period, trained) and math.isclose(period, trained))
    if not is_same:
        raise ValueError(f"the model was trained with the period {trained}, not {period}; leave the period out")
    return period


def rollout_dt(model, dt, default):
    """The time step of a rollout (s): that of the model's record, which no other may replace, else dt, else default."""
    own = known(model, "dt")
    if dt is None:
        return default if own is None else own
    if own is not None and not math.isclose(check_positive("dt", dt), own, rel_tol=1e-9):
        raise ValueError(f"the model was learned from states {own:.6g} s apart and steps by no other dt; leave dt out")
    return dt


def p_range(model):
    """The least and the greatest p of the data that the model was trained on, infinite where it knows none."""
    return known(model, "p_range", (-math.inf, math.inf))


def note_of_range(model, p_vals):
    """Say so where orbits leave the p_range of a model."""
    least, greatest = p_range(model)
    if p_vals.min() < least or p_vals.max() > greatest:
        note(f"an orbit leaves {least:.3g} ≤ p ≤ {greatest:.3g}, where the model was trained; do not trust it there")
