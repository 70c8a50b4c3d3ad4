"""How a process that serves for long looks for garbage: Python's own way takes a third of the time of short requests.

Nearly all of it is freed at once, by counting references; the collector is for the rest, the objects that hold each
other. It looks after 50,000 of them instead of 700, and never again at what was loaded before the work began.
"""

import gc

THRESHOLDS = (50_000, 20, 50)


def settle() -> None:
    """Call once all is loaded, in each process after its fork."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
