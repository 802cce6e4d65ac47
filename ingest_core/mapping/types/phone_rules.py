"""What the phone library's metadata says, as RE2 patterns that decide a whole column at once.

A number in international form is read by the library like this: calling code, then a national prefix is dropped where
the metadata's pattern matches the start of the rest, then the length must be possible. So whatever does not match the
prefix pattern keeps its digits, and its length alone decides; only the few others must be asked about one by one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from phonenumbers import PhoneMetadata, phonenumberutil

NEVER = r"[^\s\S]"
"""Matches nothing."""


@dataclass(frozen=True, slots=True)
class International:
    """Patterns over ``+digits``: known calling code; possible length; a national prefix after the code.

    Codes with a *hollow* prefix (see ``Plan``) are not among ``prefixed``.
    """

    known: str
    possible: str
    prefixed: str
    hollow: tuple[Plan, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The numbering plan of one country, as patterns over digits in national form.

    Where ``prefix`` matches it is dropped; where its group ``rewrites`` (0 = none) took part, it is replaced by
    ``rule`` instead. A *hollow* prefix pattern also matches nothing at all, which changes nothing.
    """

    code: str
    abroad: str  # international prefix; "00" in most countries
    prefix: str
    is_hollow: bool
    rewrites: int
    rule: str
    general: str  # a number the country could have given out, of a possible length
    longest: int


@cache
def international() -> International:
    """The patterns for all calling codes."""
    known, possible, prefixed, hollow = [], [], [], []
    for code in sorted(phonenumberutil.supported_calling_codes()):
        metadata = _main(code)
        known.append(str(code))
        possible.append(f"{code}(?:{_lengths(metadata)})")
        plan = _plan(metadata)
        if plan.is_hollow:
            hollow.append(plan)
        elif metadata.national_prefix_for_parsing:
            prefixed.append(f"{code}(?:{metadata.national_prefix_for_parsing})")
    return International(
        known=rf"^\+(?:{'|'.join(known)})",
        possible=rf"^\+(?:{'|'.join(possible)})$",
        prefixed=rf"^\+(?:{'|'.join(prefixed)})",
        hollow=tuple(hollow),
    )


@cache
def plan_of(country: str) -> Plan:
    """The plan of an ISO country."""
    return _plan(PhoneMetadata.metadata_for_region(country))


@cache
def main_plan(country: str) -> Plan:
    """The plan by which the library judges all numbers with the calling code of that country (+1: that of the US)."""
    return _plan(_main(phonenumberutil.country_code_for_region(country)))


def _main(code: int) -> Any:
    region = phonenumberutil.region_code_for_country_code(code)
    return PhoneMetadata.metadata_for_region_or_calling_code(code, region)


def _plan(metadata: Any) -> Plan:
    prefix = metadata.national_prefix_for_parsing or NEVER
    general = metadata.general_desc
    return Plan(
        code=str(metadata.country_code),
        abroad=metadata.international_prefix or NEVER,
        prefix=f"^(?:{prefix})",
        is_hollow=re.match(prefix, "") is not None,
        rewrites=re.compile(prefix).groups if metadata.national_prefix_transform_rule else 0,
        rule=metadata.national_prefix_transform_rule or "",
        general=f"^(?:{general.national_number_pattern})$",
        longest=max(general.possible_length),
    )


def _lengths(metadata: Any) -> str:
    return "|".join(f"[0-9]{{{length}}}" for length in metadata.general_desc.possible_length)
