"""E-mail addresses: syntax only, never a DNS question."""

from __future__ import annotations

import unicodedata

import email_validator
import pyarrow as pa
import pyarrow.compute as pc

from ingest_core.mapping.types.base import HIDDEN, DataType, Unfit, codes_where, text_where
from ingest_core.models import Converted, TypeContext

# Names such as .test, .local or .invalid are written like an address; whether mail arrives there is not syntax.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()

_ATOM = r"[A-Za-z0-9_!#$%&'*+\-/=?^`{|}~]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9\-]*[A-Za-z0-9])?"
_TOP = r"(?:[A-Za-z0-9][A-Za-z0-9\-]*)?[A-Za-z]"
_ADDRESS = rf"^{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+{_TOP}$"

_PLAIN = r"^[!#-;=?-~]*$"
"""Printable ASCII without space, double quote and angle brackets: here ``_ADDRESS`` is the whole truth."""

LONGEST = 254
"""Characters of a whole address, by RFC 5321."""

_SURE = 64
"""Bytes up to which no limit of length (label 63, address 254) can be passed."""


class Email(DataType):
    """Domain in lower case (IDNA by email-validator), local part too unless the context says otherwise."""

    name = "email"
    label = "E-mail address"
    reason = "not_an_email"

    def exact(self, text: str, fmt: str | None, context: TypeContext) -> str:
        """See ``DataType.exact``."""
        canonical = self._checked(text)
        if not context.lower_email_local:
            return canonical
        local, _, domain = canonical.rpartition("@")
        lowered = f"{unicodedata.normalize('NFC', local.lower())}@{domain}"
        if lowered == canonical or canonical.isascii():
            return lowered
        # Lower case may be longer or another character; what is stored must pass as it stands.
        if self._checked(lowered) != lowered:
            raise Unfit(self.reason)
        return lowered

    def _checked(self, text: str) -> str:
        if len(text) > LONGEST:  # the library is slow on long texts
            raise Unfit(self.reason)
        try:
            return email_validator.validate_email(text, check_deliverability=False).normalized
        except (email_validator.EmailNotValidError, UnicodeError):
            raise Unfit(self.reason) from None  # the library quotes the address

    def fast(self, values: pa.StringArray, fmt: str | None, context: TypeContext) -> Converted:
        """Decides ASCII addresses of everyday length; Punycode, quotes and the rest are left to the library."""
        is_plain = pc.and_(
            pc.and_(pc.less_equal(pc.binary_length(values), _SURE), pc.match_substring_regex(values, _PLAIN)),
            pc.invert(pc.match_substring(values, "--")),
        )
        is_good = pc.and_(is_plain, pc.match_substring_regex(values, _ADDRESS))
        is_bad = pc.or_(
            pc.and_(is_plain, pc.invert(is_good)),
            pc.and_(pc.string_is_ascii(values), pc.invert(pc.match_substring(values, "@"))),
        )
        text = pc.ascii_lower(values)
        if not context.lower_email_local:
            is_good = pc.and_(is_good, pc.equal(text, values))
        return Converted(text_where(is_good, text), codes_where(is_bad, self.reason))

    def mask(self, text: str) -> str:
        """``anna@example.com`` → ``a•••@example.com``."""
        local, at, domain = text.rpartition("@")
        return f"{local[:1]}{HIDDEN}@{domain}" if at and local else HIDDEN
