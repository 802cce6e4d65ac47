"""What an editor of builds asks: which ids there are to choose from, which values, how the lines would begin."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from ingest_core.audience_manager.data_sources import GLOBAL_SOURCES, is_global
from ingest_core.audience_manager.outbound.build import HASHED, Build
from ingest_core.audience_manager.outbound.build_check import BuildCheck, Catalogue, check, checked
from ingest_core.audience_manager.outbound.build_rows import Staging
from ingest_core.audience_manager.outbound.build_sources import people_of
from ingest_core.audience_manager.registered import Registered
from ingest_core.catalog.pgp_keys import PgpKeys
from ingest_core.clock import now
from ingest_core.deliveries.order import PROFILE_ID
from ingest_core.deliveries.recipes import PLAIN, recipe
from ingest_core.engine import Engine, Session, quote
from ingest_core.errors import InputError
from ingest_core.ledger.stated import plain
from ingest_core.models import Attribute, Model
from ingest_core.segments import counting
from ingest_core.segments.known import Known
from ingest_core.vault import Keyset

Recipe = Literal["plain", "am_email"]
What = Literal["customer", "hashed", "device", "uuid", "cookie"]


class Column(Model):
    """An attribute that a build may read, and how it leaves. ``refused``: why it may not; empty: it may.

    ``dpid``: the data source that names it as the attribute of its ids.
    """

    attribute: str
    display_name: str
    recipe: Recipe
    refused: str = ""
    dpid: int | None = None


class IdTold(Model):
    """What an id is: of whom, in which form, and how many of all profiles have one. ``form``: in words, if it has one.

    ``filled`` of ``profiles``; of hashed addresses those that have an address.
    """

    what: What
    form: str = ""
    filled: int
    profiles: int


class BuildEditing:
    """Reads only."""

    def __init__(
        self, engine: Engine, keyset: Keyset, pgp_keys: PgpKeys, registered: Callable[[], Registered]
    ) -> None:  # fmt: skip
        self._engine = engine
        self._keyset = keyset
        self._pgp_keys = pgp_keys
        self._registered = registered

    def check(self, fields: Mapping[str, Any]) -> BuildCheck:
        """All problems of a definition that is being written; see ``build_check``."""
        keys = frozenset(key.name for key in self._pgp_keys.list() if key.kind == "public")
        with self._engine.session() as session:
            known = Known.of(session)
            catalogue = Catalogue(
                attributes={one.name: one for one in known.attributes.values()},
                registry=self._registered().registry,
                segments=frozenset(one.name for one in known.visible),
                sources=frozenset(known.sources.values()),
                destinations=frozenset(
                    name for (name,) in session.rows("SELECT name FROM destination WHERE removed_at IS NULL")
                ),
                pgp_keys=keys,
                traits={number: (dpid, kind) for number, dpid, kind in session.rows(_TRAITS)},
            )
        return check(fields, catalogue, now())

    def columns(self) -> list[Column]:
        """Every attribute in its order, then the profile's own id; those that may not leave say why."""
        with self._engine.session() as session:
            attributes = list(Known.of(session).attributes.values())
        whose = {one.id_attribute: dpid for dpid, one in self._registered().sources.items() if one.id_attribute}
        found = [_column(one, whose.get(one.name)) for one in attributes]
        return [*found, Column(attribute=PROFILE_ID, display_name="Profile id", recipe="plain")]

    def told_id(self, attribute: str, recipe_name: str, dpid: int | None) -> IdTold:
        """What this attribute is as an id of this data source. InputError ``unknown_attribute``."""
        registered = self._registered()
        with self._engine.session() as session:
            profiles = int(session.value("SELECT count(*) FROM profile"))
            filled = profiles if attribute == PROFILE_ID else _filled(session, attribute)
        if recipe_name == HASHED:
            return IdTold(what="hashed", filled=filled, profiles=profiles)
        form = GLOBAL_SOURCES[dpid].form.words if dpid is not None and is_global(dpid) else ""
        kind = "cross_device" if dpid is None else registered.kind(dpid)
        what: What = "customer" if kind == "cross_device" else kind
        return IdTold(what=what, form="38 digits" if what == "uuid" else form, filled=filled, profiles=profiles)

    def values(self, attribute: str, most: int = 50) -> list[dict[str, Any]]:
        """{value, count} of what profiles have, the most frequent first; a value for which there can be a trait.

        InputError ``unknown_attribute``, ``personal_data``.
        """
        with self._engine.session() as session:
            found = _attribute(session, attribute)
            if found.pii:
                raise InputError(
                    f"{found.name} is personal data: its values are not shown.", code="personal_data",
                    hint="Choose another attribute.",
                )  # fmt: skip
            column = f"p.{quote(found.column)}"
            return session.records(
                f"SELECT {plain(found, f'CAST({column} AS VARCHAR)')} AS value, count(*) AS count FROM profile AS p "
                f"WHERE {column} IS NOT NULL GROUP BY {column} ORDER BY count DESC, value LIMIT ?",
                [most],
            )

    def people(self, segment: str | None, source: str | None) -> int:
        """How many profiles a build looks at. InputError ``no_such_segment``, ``no_such_source``;
        StateError ``segment_unusable``.
        """
        with self._engine.session() as session, session.transaction():
            return counting.count(session, people_of(session, Known.of(session), segment, source))

    def lines(self, build: Build, limit: int = 5) -> Sequence[str]:
        """The first lines as everything would be sent, without counting the rest. Raises as ``checked``."""
        with self._engine.session() as session, session.transaction():
            known = Known.of(session)
            attributes = {one.name: one for one in known.attributes.values()}
            build = checked(build, attributes, self._registered().registry, now())
            staging = Staging(session, self._keyset, build, self._registered(), attributes)
            return staging.preview(people_of(session, known, build.segment, build.source), limit)


_TRAITS = "SELECT trait_id, dpid, type FROM am_trait WHERE trait_id >= 0"


def _column(attribute: Attribute, dpid: int | None) -> Column:
    is_email = recipe(HASHED).fits(attribute)
    refused = (
        f"Personal data of type {attribute.type}: it never leaves, and Audience Manager takes no hash of it."
        if attribute.pii and not is_email
        else ""
    )
    return Column(
        attribute=attribute.name, display_name=attribute.display_name, recipe=HASHED if is_email else PLAIN,
        refused=refused, dpid=dpid,
    )  # fmt: skip


def _attribute(session: Session, name: str) -> Attribute:
    for one in Known.of(session).attributes.values():
        if one.name == name:
            return one
    raise InputError(f"There is no attribute {name!r}.", code="unknown_attribute", hint="See: attribute list")


def _filled(session: Session, name: str) -> int:
    return int(session.value(f"SELECT count({quote(_attribute(session, name).column)}) FROM profile"))
