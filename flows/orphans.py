"""What if the one who started us is killed? Then we end too, by the kernel's hand; Linux only."""

import ctypes
import os
import signal
from typing import Final

#: Looked up once, because between fork and exec little may be done.
PRCTL: Final = getattr(ctypes.CDLL(None), "prctl", None)
PR_SET_PDEATHSIG: Final = 1


def die_with(parent: int) -> None:
    """Ends this process as soon as its parent has ended, in whatever way; what it was doing, the next round finds."""
    if PRCTL:
        PRCTL(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it ended before the kernel was told
            os.kill(os.getpid(), signal.SIGKILL)
