"""Which profiles an upload changed: people before it and after it, as the log says."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from ingest_core.errors import InputError, StateError
from ingest_core.people.people import profile_id
from tests.people.test_lineage import as_text
from tests.property.conftest import templates
from tests.property.files import judged, uploads
from tests.property.product import FIELDS, Templates
from tests.property.reference import Key, Person, Reference, Upload, read, values_of

__all__ = ["templates"]  # a fixture

LIMIT = 2
COLUMNS = {"crmid": "crmid", "email": "email", "city": "city"}
FIRST = "crmid\temail\tcity\nK1\ta@example.in\tPune\nK2\t\tGoa\n"


def changed(kernel, receipt, *args, **options):
    """(kind, {attribute: (before, after)}) of each person, in file order."""
    found = kernel.workspace.profiles.changed_by(receipt.request_id, *args, **options)
    return [(c["kind"], {n: (v["before"], v["after"]) for n, v in c["attributes"].items()}) for c in found]


def test_created_updated_and_unchanged_people_in_the_order_of_the_lines(kernel):
    kernel.load(FIRST, COLUMNS)
    receipt = kernel.load("crmid\tcity\nK2\tGoa\nK3\tAgra\nK1\tDelhi\n", {"crmid": "crmid", "city": "city"})
    assert changed(kernel, receipt) == [
        ("unchanged", {}),
        ("created", {"crmid": (None, "K3"), "city": (None, "Agra")}),
        ("updated", {"city": ("Pune", "Delhi")}),
    ]
    assert (receipt.created, receipt.updated, receipt.unchanged) == (1, 1, 1)


def test_an_earlier_upload_is_told_as_it_was_then(kernel):
    first = kernel.load(FIRST, COLUMNS)
    second = kernel.load("crmid\tcity\nK1\tDelhi\n", {"crmid": "crmid", "city": "city"})
    kernel.load("crmid\tcity\nK1\tAgra\n", {"crmid": "crmid", "city": {"attribute": "city", "blank": "clear"}})
    assert changed(kernel, second) == [("updated", {"city": ("Pune", "Delhi")})]
    assert [(kind, values["city"]) for kind, values in changed(kernel, first)] == [
        ("created", (None, "Pune")),
        ("created", (None, "Goa")),
    ]


def test_a_cleared_value_has_no_after(kernel):
    kernel.load(FIRST, COLUMNS)
    receipt = kernel.load("crmid\tcity\nK1\t\n", {"crmid": "crmid", "city": {"attribute": "city", "blank": "clear"}})
    assert changed(kernel, receipt) == [("updated", {"city": ("Pune", None)})]


def test_somebody_new_in_the_source_is_updated_without_a_new_value(kernel):
    kernel.load(FIRST, COLUMNS)
    shop = kernel.load("crmid\tcity\nK1\tPune\n", {"crmid": "crmid", "city": "city"}, "Shop")
    again = kernel.load("crmid\tcity\nK1\tPune\n", {"crmid": "crmid", "city": "city"}, "Shop", again=True)
    assert [(c["kind"], c["is_new_member"]) for c in kernel.workspace.profiles.changed_by(shop.request_id)] == [
        ("updated", True)
    ]
    assert changed(kernel, again) == [("unchanged", {})]
    kernel.load("crmid\tcity\nK2\tGoa\n", {"crmid": "crmid", "city": "city"}, "Shop", replace="members")
    back = kernel.load("crmid\tcity\nK1\tPune\nK2\tGoa\n", {"crmid": "crmid", "city": "city"}, "Shop")
    assert changed(kernel, back) == [("updated", {}), ("unchanged", {})]


def test_an_upload_that_joins_two_people_shows_what_became_of_both(kernel):
    kernel.load("crmid\temail\tcity\n\ta@example.in\tPune\n", COLUMNS)
    kernel.load("crmid\temail\tcity\nK1\t\t\n", COLUMNS)
    receipt = kernel.load("crmid\temail\tcity\nK1\ta@example.in\tGoa\n", COLUMNS)
    assert receipt.merged == 1
    assert changed(kernel, receipt) == [("updated", {"city": ("Pune", "Goa")})]


def test_a_page_of_people(kernel):
    receipt = kernel.load("crmid\n" + "".join(f"K{n}\n" for n in range(1, 8)), {"crmid": "crmid"})
    everybody = kernel.workspace.profiles.changed_by(receipt.request_id)
    assert [c["profile_id"] for c in everybody] == [f"1-{line}" for line in range(2, 9)]
    assert kernel.workspace.profiles.changed_by(receipt.request_id, limit=2, offset=3) == everybody[3:5]
    assert kernel.workspace.profiles.changed_by(receipt.request_id, offset=7) == []


def test_pii_is_masked_unless_revealed_and_revealing_is_on_the_record(kernel):
    receipt = kernel.load(FIRST, COLUMNS)
    assert "a@example.in" not in json.dumps(kernel.workspace.profiles.changed_by(receipt.request_id))
    revealed = kernel.workspace.profiles.changed_by(receipt.request_id, reveal=True)
    assert revealed[0]["attributes"]["email"] == {"before": None, "after": "a@example.in"}
    with kernel.workspace.engine.session() as session:
        ((what, detail),) = session.rows("SELECT object, detail FROM audit WHERE action = 'reveal'")
    assert (what, json.loads(detail)) == (receipt.request_id, {"by": "upload", "people": 2})


class TestUploadsThatDoNotCount:
    def test_an_unknown_one_is_said_to_be_unknown(self, kernel):
        with pytest.raises(InputError) as caught:
            kernel.workspace.profiles.changed_by("20270131-ABCDEFGH")
        assert caught.value.code == "no_such_upload"

    def test_a_replaced_one_changes_nobody_now(self, kernel):
        first = kernel.load(FIRST, COLUMNS)
        second = kernel.load("crmid\tcity\nK1\tDelhi\n", {"crmid": "crmid", "city": "city"}, replace="values")
        with pytest.raises(StateError) as caught:
            kernel.workspace.profiles.changed_by(first.request_id)
        assert caught.value.code == "replaced"
        assert changed(kernel, second) == [("created", {"crmid": (None, "K1"), "city": (None, "Delhi")})]

    def test_an_undone_one_changes_nobody_now(self, kernel):
        first = kernel.load(FIRST, COLUMNS)
        second = kernel.load("crmid\tcity\nK1\tDelhi\n", {"crmid": "crmid", "city": "city"})
        kernel.workspace.undo.undo(first.request_id)
        with pytest.raises(StateError) as caught:
            kernel.workspace.profiles.changed_by(first.request_id)
        assert (caught.value.code, bool(caught.value.hint)) == ("undone", True)
        assert changed(kernel, second) == [("created", {"crmid": (None, "K1"), "city": (None, "Delhi")})]

    def test_a_failed_one_changed_nobody(self, kernel):
        receipt = kernel.load("crmid\temail\n\tno address\n", {"crmid": "crmid", "email": "email"})
        assert receipt.status == "Failed"
        assert kernel.workspace.profiles.changed_by(receipt.request_id) == []


# ── against the reference ───────────────────────────────────────────────────────────────────────────────


@judged(15)
@given(made=uploads())
def test_changes_agree_with_the_reference(templates: Templates, made: list[Upload]) -> None:
    """Before and after of everybody, for each upload that counts, are folds of the raw files up to there."""
    with templates.workspace(shared_limit=LIMIT, threads=2) as product:
        reference = Reference(list(FIELDS.values()), LIMIT)
        for upload in made:
            reference.load(upload)
            product.load(upload)
        numbers = {upload: number for number, upload in product._upload_of.items()}
        ids = dict(product.rows("SELECT upload_no, request_id FROM upload WHERE upload_no IS NOT NULL"))
        for upload in reference.live:
            found = product.ws.profiles.changed_by(ids[numbers[upload.number]], reveal=True)
            expected = {}
            for key, person in reference.state.items():
                if any(record[0] == upload.number for record in person.records):
                    expected[profile_id(numbers[key[0]] << 32 | key[1])] = change(reference.live, upload, person)
            shown = {
                c["profile_id"]: (c["kind"], {n: (*v.values(),) for n, v in c["attributes"].items()}) for c in found
            }
            assert shown == expected


def change(live: list[Upload], upload: Upload, person: Person) -> tuple[str, dict[str, tuple[str | None, str | None]]]:
    """What one upload did to one person, worked out from the raw files."""
    earlier = [other for other in live if other.number < upload.number]
    before, after = (
        values_of([r for other in some for r in read(other).records if r.key in person.records], some)
        for some in (earlier, [*earlier, upload])
    )
    pairs = {n: (as_text(before.get(n)), as_text(after.get(n))) for n in before.keys() | after.keys()}
    differing = {n: pair for n, pair in pairs.items() if pair[0] != pair[1]}
    old = [key for key in person.records if key[0] < upload.number]
    if not old:
        return "created", differing
    return ("updated" if differing or not was_member(earlier, upload.source, old) else "unchanged"), differing


def was_member(earlier: list[Upload], source: str, records: list[Key]) -> bool:
    own = [other for other in earlier if other.source == source]
    last = max((other.number for other in own if other.replace is not None), default=0)
    return any(key[0] in {other.number for other in own if other.number >= last} for key in records)
