"""What the benchmarks share: a table for the README, and times measured side by side."""

import statistics
import time

from tqdm import tqdm


def print_table(header, rows):
    """Print a Markdown table."""
    print("\n| " + " | ".join(header) + " |")
    print("|" + " --- |" * len(header))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def median_times(functions, repeats, label):
    """{name: median seconds of function()} over `repeats` rounds, each of which calls every function once."""
    seconds = {name: [] for name in functions}
    for k in tqdm(range(repeats + 1), desc=label, leave=False):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            if k > 0:  # the first round warms up
                seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


def spread(values, form="{:.1e}"):
    """The mean of some values, and the least and greatest of them."""
    mean, least, greatest = (form.format(f(values)) for f in (statistics.fmean, min, max))
    return f"{mean} ({least} … {greatest})"
