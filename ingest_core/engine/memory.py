"""What it looks like when memory ends, in whatever library it ends, and how to see it coming.

Libraries in C++ and Rust end the whole process where memory is refused to them in the wrong place. So where the system
has set this process a limit, every step begins by asking whether there is still some room.
"""

from __future__ import annotations

import errno
import mmap
import resource

_WORDS = ("can't start new thread", "could not spawn threads", "failed to map segment", "annot allocate memory")


ROOM = 256 << 20
"""What a step may take before it asks again: stacks and arenas of new threads, a few slices of a file."""


def require_room() -> None:
    """MemoryError when this process is about to reach its limit of memory (``ulimit -v``); without one it is well."""
    if resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY:
        return
    try:
        mmap.mmap(-1, ROOM).close()
    except OSError:
        raise MemoryError from None


def is_memory(error: BaseException) -> bool:
    """Whether memory ended: also where a thread was to be started or a library to be loaded."""
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    is_likely = isinstance(error, RuntimeError | ImportError) or is_panic(error)
    return is_likely and any(word in str(error) for word in _WORDS)


def is_panic(error: BaseException) -> bool:
    """What libraries written in Rust raise when they cannot go on; it is no ``Exception``."""
    return type(error).__name__ == "PanicException"
