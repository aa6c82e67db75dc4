"""Work that falls into blocks, spread over the machine's cores."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor


def spread(work, blocks, workers=None):
    """Yield the results of work(block, stopped) for all blocks, in their order, from a thread for each core.

    NumPy lets threads run side by side. `stopped` is an event at which the work looks from time to time: it is set when
    the whole is interrupted, or when one block has failed.
    """
    stopped = threading.Event()
    pool = ThreadPoolExecutor(workers or os.cpu_count())
    try:
        yield from pool.map(lambda block: work(block, stopped), blocks)
    finally:
        stopped.set()
        pool.shutdown(cancel_futures=True)
