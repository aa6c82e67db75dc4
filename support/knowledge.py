"""What a model knows of the data that it was trained on, the dict `knows`, and how it is saved with the weights.

period                  of q; None where q is no angle
q_range, p_range        least and greatest of the data, q wrapped
dt                      (s) of a model that was trained on steps of this length, and serves no other
"""

import math

from support.inputs import check_period, check_positive

RANGES = ("q_range", "p_range")
DEFAULTS = {"period": 2 * math.pi, "dt": None}  # what is asked for by a caller who says nothing


def keep_knowledge(model):
    """Give an nn.Module the dict `knows`, which its state_dict() keeps and load_state_dict() brings back.

    It stands in the metadata that torch itself has with a state_dict, so that whoever else loads the weights does not
    see it. What must be saved is state_dict() itself: a dict that is made from its items has no metadata.
    """
    model.knows = {}
    model.register_state_dict_post_hook(_write)
    model.register_load_state_dict_pre_hook(_read)


def _write(model, state_dict, prefix, metadata):
    metadata["knows"] = model.knows


def _read(model, state_dict, prefix, metadata, *_):
    model.knows = check_knowledge(metadata.get("knows", {}))


def check_knowledge(knows):
    """What a file says that a model knows; raises ValueError where it is not what a training writes."""
    knows = dict(knows)
    for key, value in knows.items():
        if key == "period":
            check_period(value)
        elif key == "dt":
            check_positive(key, value)
        elif key not in RANGES or [type(end) for end in value] != [float, float] or not value[0] <= value[1]:
            raise ValueError(f"a model cannot know {key} = {value!r}")
    return knows


def own_value(model, name, asked):
    """The model's own period or dt, as `name` says, or what is asked for where the model does not know it.

    Raises ValueError for what is no positive number, and where another than the model's own is asked for; a default is
    never refused.
    """
    if asked is not None:
        check_positive(f"the {name}", asked)
    known = getattr(model, "knows", {}).get(name, asked)
    if asked not in (known, DEFAULTS[name]):
        raise ValueError(f"the model was trained with the {name} {known}, not {asked}; leave the {name} out")
    return known
