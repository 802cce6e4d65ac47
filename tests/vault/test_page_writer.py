"""What enters the vault: each new value once, in full pages where it can be; known values not at all."""

from __future__ import annotations

import pyarrow as pa
import pytest

from ingest_core.vault import token, tokens
from ingest_core.vault.keys import Keyset
from ingest_core.vault.pages import SLOTS
from ingest_core.vault.reading import VaultReader
from ingest_core.vault.writing import REJECTS, PageWriter, append

KEYS = Keyset(1, {1: b"p" * 32}, b"t" * 32, b"s" * 32)
EMAIL, PHONE = 2, 3


@pytest.fixture
def session(workspace):
    with workspace.engine.session() as opened:
        yield opened


def write(session, *slices, keys=KEYS):
    """Each slice: {attribute: values}, distinct as the row function hands them over. Returns the values kept."""
    writer = PageWriter(session, keys)
    for piece in slices:
        for attribute_id, values in piece.items():
            array = pa.array(values, pa.string())
            writer.add(attribute_id, tokens(keys.token_key(attribute_id), array), array)
    with session.transaction():
        writer.prepare()
        return writer.keep()


def read(session, attribute_id, values, keys=KEYS, held=256):
    """What the vault gives for the tokens of these values."""
    wanted = {value: token(keys.token_key(attribute_id), value) for value in values}
    found = VaultReader(session, keys, held).values(wanted.values())
    return {value: found.get(made) for value, made in wanted.items()}


def consistent(session):
    """Each token once; each page's slots used once, and as many as it has."""
    assert session.value("SELECT count(*) - count(DISTINCT token) FROM vault_value") == 0
    assert session.value("SELECT count(*) - count(DISTINCT page_id) FROM vault_page") == 0
    assert session.rows(
        "SELECT page_id FROM vault_page FULL JOIN (SELECT page_id, count(DISTINCT slot) AS used, max(slot) AS last, "
        "count(*) AS values FROM vault_value GROUP BY page_id) USING (page_id) "
        "WHERE slots IS DISTINCT FROM used OR used <> values OR last >= slots"
    ) == []  # fmt: skip


def names(start, stop):
    return [f"person{n}@example.com" for n in range(start, stop)]


def test_ten_thousand_values_fill_pages(session):
    values = names(0, 10_000)
    assert write(session, {EMAIL: values}) == 10_000
    assert read(session, EMAIL, values) == {value: value for value in values}
    pages = session.rows("SELECT slots FROM vault_page ORDER BY page_id")
    assert pages == [(SLOTS,)] * (10_000 // SLOTS) + [(10_000 % SLOTS,)]
    consistent(session)


def test_a_known_value_is_not_written_again(session):
    write(session, {EMAIL: names(0, 50)})
    before = session.rows("SELECT * FROM vault_page")
    assert write(session, {EMAIL: names(0, 50)}) == 0
    assert session.rows("SELECT * FROM vault_page") == before
    consistent(session)


def test_of_a_page_with_known_values_only_the_new_ones_are_kept(session):
    write(session, {EMAIL: names(0, 50)})
    assert write(session, {EMAIL: names(25, 100)}) == 50
    assert session.rows("SELECT slots FROM vault_page ORDER BY page_id") == [(50,), (50,)]
    assert read(session, EMAIL, names(0, 100)) == {value: value for value in names(0, 100)}
    consistent(session)


def test_values_repeated_in_later_slices_are_kept_once(session):
    slices = [{EMAIL: names(start, start + 3000)} for start in range(0, 12_000, 1500)]
    assert write(session, *slices) == 13_500
    assert read(session, EMAIL, names(0, 13_500)) == {value: value for value in names(0, 13_500)}
    consistent(session)


def test_partial_pages_are_packed_together(session):
    """Ten slices that bring one new value each end as one page, not as ten."""
    write(session, {EMAIL: names(0, 100)})
    assert write(session, *({EMAIL: [*names(0, 100), f"new{n}@example.com"]} for n in range(10))) == 10
    assert session.rows("SELECT slots FROM vault_page ORDER BY page_id") == [(100,), (10,)]
    consistent(session)


def test_many_partial_pages_of_two_attributes(session):
    """More than one batch of pages is packed again, each attribute apart."""
    count = 40 * SLOTS
    known = {EMAIL: names(0, count)[::SLOTS], PHONE: names(0, 5 * SLOTS)[::100]}
    write(session, known)
    new = count - 40 + 5 * SLOTS - len(known[PHONE])
    assert write(session, {EMAIL: names(0, count), PHONE: names(0, 5 * SLOTS)}) == new
    consistent(session)
    for attribute_id, values in ((EMAIL, names(0, count)), (PHONE, names(0, 5 * SLOTS))):
        some = values[::1009] + values[-3:]
        assert read(session, attribute_id, some) == {value: value for value in some}
    full = session.value("SELECT count(*) FROM vault_page WHERE slots = ?", [SLOTS])
    assert full >= 40


def test_equal_values_of_two_attributes_are_two_values(session):
    assert write(session, {EMAIL: ["same"], PHONE: ["same"]}) == 2
    assert read(session, EMAIL, ["same"]) == read(session, PHONE, ["same"]) == {"same": "same"}
    consistent(session)


def test_page_ids_go_on_after_what_is_stored(session):
    for start in (0, 10, 20):
        write(session, {EMAIL: names(start, start + 10)})
    ids = [number for (number,) in session.rows("SELECT page_id FROM vault_page ORDER BY page_id")]
    assert len(set(ids)) == 3
    consistent(session)


def test_nothing_to_add_is_nothing(session):
    assert write(session, {EMAIL: []}, {}) == 0
    assert session.value("SELECT count(*) FROM vault_page") == 0


@pytest.mark.parametrize("values", [[""], ["x" * 1_000_000], ["a\0b", "🦆", "'; DROP TABLE vault_page; --"]])
def test_any_text_is_kept(session, values):
    assert write(session, {EMAIL: values}) == len(values)
    assert read(session, EMAIL, values) == {value: value for value in values}


def test_new_values_are_sealed_with_the_primary_key_and_old_pages_still_open(session):
    write(session, {EMAIL: ["old"]})
    rotated = Keyset(2, {1: KEYS.pages[1], 2: b"q" * 32}, KEYS.tokens, KEYS.suppression)
    write(session, {EMAIL: ["old", "new"]}, keys=rotated)
    assert session.rows("SELECT key_version FROM vault_page ORDER BY page_id") == [(1,), (2,)]
    assert read(session, EMAIL, ["old", "new"], keys=rotated) == {"old": "old", "new": "new"}


def test_texts_of_rejected_rows_have_pages_of_their_own(session):
    writer = PageWriter(session, KEYS)
    texts = [f"line {n}" for n in range(SLOTS + 3)]
    pages, page_ids, slots = writer.seal_texts(texts)
    append(session, "vault_page", pages)
    reader = VaultReader(session, KEYS)
    found = [reader.page(page)[slot].as_py() for page, slot in zip(page_ids.tolist(), slots.tolist(), strict=True)]
    assert found == texts
    assert session.rows("SELECT DISTINCT attribute_id FROM vault_page") == [(REJECTS,)]


def test_unknown_tokens_are_missing_from_the_answer(session):
    write(session, {EMAIL: ["known"]})
    assert read(session, EMAIL, ["known", "unknown"]) == {"known": "known", "unknown": None}
    assert VaultReader(session, KEYS).values([]) == {}


def test_a_reader_that_holds_one_page_reads_them_all(session):
    for start in range(0, 50, 10):
        write(session, {EMAIL: names(start, start + 10)})
    assert read(session, EMAIL, names(0, 50), held=1) == {value: value for value in names(0, 50)}
