"""The whole stack of containers, tried as a person would: `make compose-test` (`python -m tests.stack`).

It builds the images, brings a stack of its own up, walks through the front behind nginx, kills each container under
load, recreates web and workers, makes a backup, restores it into an empty stack, and leaves nothing behind.
"""

from deploy.settings import ROOT

KEPT = ROOT / "var" / "stack"
AIM_READY_S, AIM_BACK_S = 360, 45
AIM_MB = {"nightshift-web": 400, "nightshift-ecg": 900}  # the worker of the other queues has no aim
