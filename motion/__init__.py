"""From a recording to its equation."""
