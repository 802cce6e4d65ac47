"""The public id of a profile: the upload and line of its first record, such as 12-402."""

from __future__ import annotations


def profile_id(pid: int) -> str:
    """A profile's public id: the upload and line of its first record."""
    return f"{pid >> 32}-{pid & 0xFFFFFFFF}"


def record_of(public_id: str) -> int | None:
    """The record (upload and line) that a public id names; None when it is no such id."""
    upload, _, line = public_id.partition("-")
    if not all(part.isascii() and part.isdigit() and len(part) < 10 for part in (upload, line)):
        return None
    return (int(upload) << 32) + int(line)
