"""Included by processes of fault 7: hundreds of messages may be out at once, as in a queue of quick runs.

Each death leaves a run that counts as published for 5 s; in the narrow window of an idle queue the fourth of them
would keep all others from being published at their submit, and there would be nothing to die at.
"""

from models import dispatching

dispatching.AT_LEAST = 10_000
