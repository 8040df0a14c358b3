"""Becomes the function's process: `python -I -S launcher.py PARENT HANDLER`. Linux only.

The process ends with the one that keeps the local cloud, however that ends. A `preexec_fn` would do the same, but
may not be used where there are threads.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1

if __name__ == "__main__":
    parent, handler = sys.argv[1:]
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    if os.getppid() != int(parent):
        sys.exit("the local cloud has ended")
    os.execv(sys.executable, [sys.executable, "-m", "awslambdaric", handler])  # noqa: S606 - no shell is wanted
