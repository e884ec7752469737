"""Does somebody serve this data folder already? One at a time; the kernel holds the lock, so a crash lets go of it."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

#: What a file system says that knows no such lock (NFS, for one): there the folder cannot be held.
UNKNOWN: Final = (errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


class TakenError(Exception):
    """Another process holds the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__(f"expected a data folder that nobody serves, got {folder}, which another process holds")


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Holds the folder itself: no file is left behind, and children, who close what they inherit, hold nothing.

    Raises TakenError, or OSError when the folder cannot be opened.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise TakenError(folder) from error
        except OSError as error:
            if error.errno not in UNKNOWN:
                raise
        yield
    finally:
        os.close(descriptor)
