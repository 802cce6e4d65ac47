"""Web addresses: http and https with a host."""

from __future__ import annotations

import ipaddress
import re

import pyarrow as pa
import pyarrow.compute as pc

from ingest_core.mapping.types.base import HIDDEN, DataType, Unfit, codes_where, text_where
from ingest_core.mapping.types.string import LIMIT
from ingest_core.models import Converted, TypeContext

_SPACE_OR_CONTROL = re.compile(r"[\s\x00-\x1f\x7f-\x9f]")
_PARTS = re.compile(
    r"(?P<scheme>[Hh][Tt][Tt][Pp][Ss]?)://(?P<user>[^/?#@]*@)?(?P<host>\[[^\]/?#]*\]|[^/?#@:\[\]]+)"
    r"(?P<port>:[0-9]{0,5})?(?P<rest>[/?#].*)?"
)
_LABEL = r"[\w](?:[\w-]*[\w])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")

_PLAIN = r"^https?://[a-z0-9](?:[a-z0-9\-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9\-]*[a-z0-9])?)*(?:[/?#][!-~]*)?$"
"""Everyday addresses that are canonical as they stand."""

_HOST_LIMIT = 253


class Url(DataType):
    """Scheme and host in lower case, the rest untouched: paths may depend on case."""

    name = "url"
    label = "Web address"
    reason = "not_a_url"

    def exact(self, text: str, fmt: str | None, context: TypeContext) -> str:
        """See ``DataType.exact``."""
        found = None if _SPACE_OR_CONTROL.search(text) else _PARTS.fullmatch(text)
        if found is None:
            raise Unfit(self.reason)
        if len(text) > LIMIT:
            raise Unfit("too_long")
        host, port = found["host"].lower(), found["port"] or ""
        if not _is_host(host) or int(port[1:] or "0") > 65_535:
            raise Unfit(self.reason)
        return f"{found['scheme'].lower()}://{found['user'] or ''}{host}{port}{found['rest'] or ''}"

    def fast(self, values: pa.StringArray, fmt: str | None, context: TypeContext) -> Converted:
        """Decides everyday addresses, and cells that do not begin with a scheme."""
        is_short = pc.less_equal(pc.binary_length(values), _HOST_LIMIT)
        is_good = pc.and_(is_short, pc.match_substring_regex(values, _PLAIN))
        is_bad = pc.invert(pc.match_substring_regex(values, "^[Hh][Tt][Tt][Pp][Ss]?://"))
        return Converted(text_where(is_good, values), codes_where(is_bad, self.reason))

    def mask(self, text: str) -> str:
        """``https://example.com/anna`` → ``https://example.com/•••``."""
        found = _PARTS.fullmatch(text)
        return f"{found['scheme']}://{found['host']}/{HIDDEN}" if found else HIDDEN


def _is_host(host: str) -> bool:
    """A name (letters of any script) or an IP address in brackets."""
    if host.startswith("["):
        try:
            return bool(ipaddress.IPv6Address(host[1:-1]))
        except ValueError:
            return False
    return len(host) <= _HOST_LIMIT and _HOST.fullmatch(host) is not None
