"""The job of a load as a competent engineer writes it today with pandas: read, check, protect; used by both references.

Fast where pandas is fast (whole columns), cell by cell where the usual libraries offer nothing else (encryption, HMAC).
It knows one file form, the one of samples/make_sample.py, and keeps no account of what it changed.
"""

from __future__ import annotations

import csv
import hmac
import json
import os
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PII = ("email", "phone", "first_name")
TOKENS = ("crmid", "email", "phone")
EMAIL = r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}"
PHONE = r"\+[1-9]\d{6,14}"


@dataclass
class Checked:
    """Good rows (text columns, plus ``line``), rejected rows (line, reason), and the number of blank lines."""

    good: pd.DataFrame
    rejects: pd.DataFrame
    lines: int
    blank: int


def read(path: Path) -> pd.DataFrame:
    """All data lines as text, blank ones too; ``_cells`` is their number of cells, ``_extra`` a surplus one."""
    with path.open(encoding="utf-8", newline="\n") as file:
        header = file.readline().rstrip("\n").split("\t")
        cells = [line.count("\t") + 1 if line != "\n" else 0 for line in file]
    table = pd.read_csv(
        path,
        sep="\t",
        dtype=str,
        names=[*header, "_extra"],
        skiprows=1,
        quoting=csv.QUOTE_NONE,
        keep_default_na=False,
        na_values=[],
        skip_blank_lines=False,
        encoding="utf-8",
    )
    return table.assign(_cells=cells, line=table.index + 2)


def check(table: pd.DataFrame) -> Checked:
    """Sort the lines into good, rejected (with the first reason that applies) and blank."""
    expected = table.columns.get_loc("_extra")
    is_blank = table["_cells"] == 0
    lines, blank = len(table), int(is_blank.sum())
    table = table[~is_blank]
    email, phone = table["email"].fillna("").str.strip(), table["phone"].fillna("").str.strip()
    reasons = {
        "extra_cell": table["_cells"] > expected,
        "missing_cell": table["_cells"] < expected,
        "no_identifier": (table["crmid"].fillna("") == "") & (email == "") & (phone == ""),
        "spreadsheet_damage": phone.str.fullmatch(r"\d(?:\.\d+)?[eE]\+\d+"),
        "not_a_phone": (phone != "") & ~phone.str.fullmatch(PHONE),
        "not_an_email": (email != "") & ~email.str.fullmatch(EMAIL),
        "not_a_date": is_bad_date(table["birth_date"]) | is_bad_date(table["last_purchase"]),
        "not_a_number": is_bad_number(table["amount"]) | is_bad_number(table["slot_num"]),
    }
    reason = pd.Series("", index=table.index, dtype=str)
    for code, is_so in reasons.items():
        reason = reason.mask((reason == "") & is_so.astype(bool), code)
    rejects = pd.DataFrame({"line": table["line"], "reason": reason})[reason != ""]
    good = table[reason == ""].drop(columns=["_extra", "_cells"]).assign(email=email.str.lower(), phone=phone)
    return Checked(good, rejects, lines, blank)


def is_bad_date(column: pd.Series) -> pd.Series:
    """True where a filled cell is not a date."""
    return (column.fillna("") != "") & pd.to_datetime(column, format="%Y-%m-%d", errors="coerce").isna()


def is_bad_number(column: pd.Series) -> pd.Series:
    """True where a filled cell is not a number."""
    return (column.fillna("") != "") & pd.to_numeric(column, errors="coerce").isna()


def load_keys(path: Path) -> dict[str, bytes]:
    """The keys beside the database, made at the first run."""
    if not path.exists():
        path.write_text(json.dumps({name: os.urandom(32).hex() for name in ("cipher", *TOKENS)}), encoding="ascii")
        path.chmod(0o600)
    return {name: bytes.fromhex(text) for name, text in json.loads(path.read_text(encoding="ascii")).items()}


def protect(good: pd.DataFrame, keys: dict[str, bytes]) -> pd.DataFrame:
    """Tokens for what is joined on, ciphertext for PII, a key for the person: the primary id, else the e-mail."""
    cipher = AESGCM(keys["cipher"])
    columns: dict[str, object] = {}
    for name in TOKENS:
        columns[f"{name}_token"] = [token(keys[name], value) for value in good[name]]
    for name in PII:
        columns[name] = [encrypt(cipher, value) for value in good[name]]
    rest = ["preferences", "slot_num", "last_name", "city", "country", "birth_date", "last_purchase", "amount"]
    columns |= {name: good[name].replace("", None).to_numpy() for name in rest}
    people = pd.DataFrame(columns)
    people["slot_num"] = pd.to_numeric(people["slot_num"]).astype("Int64")
    people["amount"] = pd.to_numeric(people["amount"])
    for name in ("birth_date", "last_purchase"):
        people[name] = pd.to_datetime(people[name], format="%Y-%m-%d")
    fallback = people["email_token"].fillna(people["phone_token"])
    people.insert(0, "person", people["crmid_token"].fillna(fallback))
    return people


def token(key: bytes, value: str) -> str | None:
    """HMAC-SHA256, 128 bits in hex; None for an empty value."""
    return hmac.digest(key, value.encode(), "sha256")[:16].hex() if value else None


def encrypt(cipher: AESGCM, value: str) -> bytes | None:
    """AES-256-GCM with a random nonce in front; None for an empty value."""
    if not value:
        return None
    nonce = os.urandom(12)
    return nonce + cipher.encrypt(nonce, value.encode(), None)


def report(seconds: float, checked: Checked, stored: int) -> str:
    """The result as JSON: the same counts as our receipt."""
    accepted = len(checked.good)
    return json.dumps(
        {
            "seconds": round(seconds, 3),
            "rows": checked.lines,
            "blank": checked.blank,
            "stored": stored,
            "rejected": len(checked.rejects),
            "duplicates": accepted - stored,
            "rejects_by_reason": checked.rejects["reason"].value_counts().sort_index().to_dict(),
        }
    )
