"""Files for the time of one piece of work, in the one folder that the engine may write to.

What a kill leaves there is removed when the workspace is opened next.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Scratch:
    """Names of files that begin alike."""

    folder: Path
    prefix: str

    def path(self, name: str) -> Path:
        """Where a file of this name goes."""
        return self.folder / f"{self.prefix}-{name}"

    def clear(self) -> None:
        """Removes all of them, and what the engine keeps beside them."""
        for path in self.folder.glob(f"{self.prefix}-*"):
            path.unlink(missing_ok=True)


@contextmanager
def scratch(home: Path) -> Iterator[Scratch]:
    """Cleared when the block ends, however it ends."""
    made = Scratch(home / "tmp", secrets.token_hex(8))
    try:
        yield made
    finally:
        made.clear()
