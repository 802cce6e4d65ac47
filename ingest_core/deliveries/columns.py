"""Which columns a file has: chosen and named by a person, or all there are, personal data hashed or left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ingest_core.deliveries.order import CHANGE, PROFILE_ID, Column, Order
from ingest_core.deliveries.recipes import PLAIN, PRESETS, default_recipe, recipe
from ingest_core.errors import InputError
from ingest_core.models import Attribute

MOST_COLUMNS = 200
LONGEST_NAME = 120


def default_columns(attributes: Sequence[Attribute]) -> tuple[Column, ...]:
    """The profile's id and each of these attributes: personal data as its hash, or not at all."""
    chosen = [(one.name, default_recipe(one)) for one in attributes]
    return (
        Column(name=PROFILE_ID, attribute=PROFILE_ID),
        *(Column(name=name, attribute=name, recipe=found) for name, found in chosen if found is not None),
    )


def preset_columns(name: str, known: Mapping[str, Attribute]) -> tuple[Column, ...]:
    """The columns that one receiver asks for. InputError ``no_such_preset``."""
    if name not in PRESETS:
        raise InputError(
            f"There is no preset {name!r}. Nothing was sent.",
            code="no_such_preset",
            hint=f"One of: {', '.join(PRESETS)}",
        )
    wanted = PRESETS[name].columns.items()
    return tuple(Column(name=n, attribute=a, recipe=r) for n, (a, r) in wanted if a in known)


def read_column(text: str) -> Column:
    """``ATTRIBUTE[:RECIPE][=NAME]`` → the column; without a recipe "", to be chosen. InputError ``bad_column``."""
    what, _, name = text.partition("=")
    attribute, _, how = what.partition(":")
    if not attribute.strip():
        raise InputError(
            f"{text!r} names no column. Nothing was sent.",
            code="bad_column",
            hint="Such as crmid, email:sha256_email or phone:meta_phone=ph.",
        )
    return Column(name=name.strip() or attribute.strip(), attribute=attribute.strip(), recipe=how.strip())


def checked(order: Order, known: Mapping[str, Attribute], offered: Sequence[Attribute]) -> Order:
    """The order with its columns and key decided.

    InputError ``bad_columns``, ``unknown_attribute``, ``no_such_recipe``, ``plain_personal_data``, ``no_such_key``,
    ``plain_key``, ``needs_key``.
    """
    columns = tuple(_decided(one, known) for one in order.columns) or default_columns(offered)
    _check_names(columns, order)
    _check_plain(columns, known, is_plain=order.is_plain)
    return order.model_copy(update={"columns": columns, "key": _key(order, columns, known)})


def plain_columns(columns: Sequence[Column], known: Mapping[str, Attribute]) -> list[str]:
    """The names of the columns that hold personal data as it is."""
    return [one.name for one in columns if one.attribute != PROFILE_ID and is_plain_pii(one, known)]


def is_plain_pii(column: Column, known: Mapping[str, Attribute]) -> bool:
    """Whether personal data stands in this column unhashed."""
    return column.attribute in known and known[column.attribute].pii and not recipe(column.recipe).is_hashed


def _decided(column: Column, known: Mapping[str, Attribute]) -> Column:
    if column.attribute == PROFILE_ID:
        return column.model_copy(update={"recipe": PLAIN})
    found = known.get(column.attribute)
    if found is None:
        raise InputError(
            f"There is no attribute {column.attribute!r}. Nothing was sent.",
            code="unknown_attribute",
            hint="See: attribute list",
        )
    how = column.recipe or default_recipe(found)
    if how is None:
        raise InputError(
            f"{found.name} is personal data: say how it is to be sent. Nothing was sent.",
            code="plain_personal_data",
            hint=f"Such as {found.name}:sha256_text, or {found.name}:plain with a reason.",
        )
    recipe(how)
    return column.model_copy(update={"recipe": how})


def _check_names(columns: Sequence[Column], order: Order) -> None:
    names = [one.name for one in columns]
    taken = {CHANGE} if order.scope == "changed" else set()
    is_fine = all(0 < len(name) <= LONGEST_NAME and name.isprintable() and name not in taken for name in names)
    if not 0 < len(names) <= MOST_COLUMNS or len({*names}) < len(names) or not is_fine:
        raise InputError(
            "The columns need names, each another one, on one line. Nothing was sent.",
            code="bad_columns",
            hint=f"At most {MOST_COLUMNS} columns" + (f"; {CHANGE} says what changed." if taken else "."),
        )


def _check_plain(columns: Sequence[Column], known: Mapping[str, Attribute], *, is_plain: bool) -> None:
    plain = plain_columns(columns, known)
    if plain and not is_plain:
        raise InputError(
            f"Personal data would go out as it is: {', '.join(plain)}. Nothing was sent.",
            code="plain_personal_data",
            hint="Choose a hash for these columns, or say so and give a reason (--plain --reason TEXT).",
            facts={"columns": plain},
        )


def _key(order: Order, columns: Sequence[Column], known: Mapping[str, Attribute]) -> str | None:
    """The column by which the receiver knows a row: the one that was named, or else the best there is."""
    by_name = {one.name: one for one in columns}
    if order.key is not None:
        if order.key not in by_name:
            raise InputError(
                f"There is no column {order.key!r} to know a row by. Nothing was sent.",
                code="no_such_key",
                hint=f"One of: {', '.join(by_name)}",
            )
        if is_plain_pii(by_name[order.key], known):
            raise InputError(
                f"{order.key} holds personal data as it is, and what a receiver has is remembered by this column.",
                code="plain_key",
                hint="Nothing was sent. Choose a hashed column, an id that is no personal data, or profile_id.",
            )
        return order.key
    ranks = {None: 3, "primary": 1, "secondary": 2}
    fitting = [
        (0 if one.attribute == PROFILE_ID else ranks[known[one.attribute].identifier], place, one.name)
        for place, one in enumerate(columns)
        if not is_plain_pii(one, known)
    ]
    best = min(fitting, default=(3, 0, ""))
    if best[0] < 3:
        return best[2]
    if order.scope == "changed":
        raise InputError(
            "No column says whom a row is about, so nobody could tell what changed. Nothing was sent.",
            code="needs_key",
            hint=f"Add {PROFILE_ID}, an identifier, or the hash of one.",
        )
    return None
