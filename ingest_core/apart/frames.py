"""What parent and child say to each other: frames of one kind and a payload over a pair of sockets.

The parent begins with one ``ORDER`` (JSON). The child asks for bytes of the file with ``READ`` (offset, size) and gets
them as ``BYTES``; it answers with any number of ``VALUE`` (JSON), then ``END``, or ``ERROR`` (JSON of a ``FileError``).
"""

from __future__ import annotations

import struct

HEAD = struct.Struct(">cI")  # kind, bytes of payload
PLACE = struct.Struct(">QI")  # offset, size
ORDER, READ, BYTES, VALUE, ERROR, END = b"o", b"r", b"b", b"v", b"e", b"z"


def frame(kind: bytes, payload: bytes) -> bytes:
    """The bytes of one frame."""
    return HEAD.pack(kind, len(payload)) + payload
