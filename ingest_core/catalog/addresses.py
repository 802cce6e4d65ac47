"""E-mail addresses of people who are told about uploads: checked once, here."""

from __future__ import annotations

from collections.abc import Iterable

from ingest_core.errors import InputError


def check_addresses(given: Iterable[str]) -> tuple[str, ...]:
    """Addresses as they are kept, each once, in the order given. Syntax only, no DNS. InputError ``bad_address``."""
    from email_validator import EmailNotValidError, validate_email  # slow to import

    found: dict[str, None] = {}
    for address in given:
        try:
            checked = validate_email(address.strip(), check_deliverability=False, globally_deliverable=False)
        except EmailNotValidError:
            raise InputError(
                "One of the recipients is not an e-mail address. Nothing was changed.",
                code="bad_address",
                hint="Write each of them like name@domain.tld.",
            ) from None
        found[checked.normalized] = None
    return tuple(found)
