"""A change of type refolds one column from the log: nothing is lost, and a rebuild finds the same."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_core.errors import InputError, StateError
from ingest_core.ledger.audit import verify_audit
from ingest_core.ledger.retype import TARGETS
from ingest_core.models import Receipt
from ingest_core.workspace import Workspace
from tests.property.conftest import templates
from tests.property.files import judged, uploads
from tests.property.product import Product, Templates
from tests.property.reference import Upload
from tests.workspaces import Kernel

__all__ = ["templates"]  # a fixture

COLUMNS = {"crmid": "crmid", "level": "level"}


@pytest.fixture
def levels(kernel):
    """People whose level is text: a number, a padded number, a fraction, a word, nothing."""
    kernel.workspace.attributes.add("level", "string")
    kernel.load("crmid\tlevel\nK1\t5\nK2\t007\nK3\t5.7\nK4\tgold\nK5\t\n", COLUMNS)
    return kernel


def values(kernel):
    """The level of each person, None where there is no value; a rebuild must find the same."""
    found = {f"K{n}": kernel.values("crmid", f"K{n}").get("level") for n in range(1, 6)}
    before = kernel.workspace.digest()
    kernel.workspace.rebuild()
    assert kernel.workspace.digest() == before
    return found


def stored(kernel):
    """All tables but the audit log, as numbers, and the columns of the profile."""
    with kernel.workspace.engine.session() as session:
        tables = [n for (n,) in session.rows("SELECT table_name FROM duckdb_tables() WHERE NOT temporary")]
        return {
            **{n: session.rows(f'SELECT count(*), bit_xor(hash(t)) FROM "{n}" AS t') for n in tables if n != "audit"},
            "columns": session.rows("DESCRIBE profile"),
        }


TEXTS = {"K1": "5", "K2": "007", "K3": "5.7", "K4": "gold", "K5": None}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("integer", {"K1": "5", "K2": "7", "K3": "6", "K4": None, "K5": None}),
        ("number", {"K1": "5", "K2": "7", "K3": "5.7", "K4": None, "K5": None}),
        ("date", dict.fromkeys(TEXTS)),
        ("datetime", dict.fromkeys(TEXTS)),
        ("string", TEXTS),
    ],
)
def test_values_that_fit_are_shown_in_the_new_type_and_come_back_with_the_old_one(levels, kind, expected):
    before = stored(levels)
    assert levels.workspace.attributes.change("level", type=kind).type == kind
    assert values(levels) == expected
    levels.workspace.attributes.change("level", type="string")
    assert values(levels) == TEXTS
    assert stored(levels)["columns"] == before["columns"]


@pytest.mark.parametrize("kind", TARGETS)
def test_every_type_can_become_every_other_and_come_back(kernel, kind):
    given = {
        "string": "a", "number": "1.5", "integer": "3", "boolean": "yes", "date": "2024-03-31",
        "datetime": "2024-03-31 10:00:00", "url": "https://a.in", "country": "India", "currency": "INR",
    }  # fmt: skip
    for first, value in given.items():
        name = f"from_{first}"
        kernel.workspace.attributes.add(name, first)
        kernel.load(f"crmid\tv\nK1\t{value}\n", {"crmid": "crmid", "v": name})
        shown = kernel.values("crmid", "K1")[name]
        kernel.workspace.attributes.change(name, type=kind)
        kept = kernel.values("crmid", "K1").get(name)
        assert kept == shown if kind == "string" else True
        if first in TARGETS:
            kernel.workspace.attributes.change(name, type=first)
            assert kernel.values("crmid", "K1")[name] == shown
    before = kernel.workspace.digest()
    kernel.workspace.rebuild()
    assert kernel.workspace.digest() == before


class TestPreview:
    def test_it_says_what_will_be_and_changes_nothing(self, levels):
        before = stored(levels)
        said = levels.workspace.attributes.preview_type("level", "integer")
        assert said.model_dump() == {
            "attribute": "level", "type_before": "string", "type_after": "integer", "profiles": 4, "same": 1,
            "rewritten": 2, "lost": 1, "regained": 0, "texts_lost": 1, "samples": ("gold",),
            "rewritten_samples": (("007", "7"), ("5.7", "6")),
        }  # fmt: skip
        assert stored(levels) == before
        levels.workspace.attributes.change("level", type="integer")
        assert levels.workspace.attributes.preview_type("level", "string").regained == 1

    def test_samples_are_the_commonest_of_the_texts_that_do_not_fit(self, kernel):
        kernel.workspace.attributes.add("level", "string")
        words = ["a", "b", "b", "c", "c", "c", "d", "e", "f"]
        kernel.load("crmid\tlevel\n" + "".join(f"P{n}\t{w}\n" for n, w in enumerate(words)), COLUMNS)
        said = kernel.workspace.attributes.preview_type("level", "integer")
        assert (said.lost, said.texts_lost, said.samples) == (9, 6, ("c", "b", "a", "d", "e"))

    def test_a_text_that_no_profile_shows_any_more_counts_as_a_text_only(self, kernel):
        kernel.workspace.attributes.add("level", "string")
        kernel.load("crmid\tlevel\nK1\tgold\n", COLUMNS)
        kernel.load("crmid\tlevel\nK1\t5\n", COLUMNS)
        said = kernel.workspace.attributes.preview_type("level", "integer")
        assert (said.profiles, said.same, said.lost, said.texts_lost) == (1, 1, 0, 1)


class TestRules:
    """What the folds make of a text that does not fit: it counts as absent."""

    def test_an_older_value_that_fits_is_there_again(self, kernel):
        kernel.workspace.attributes.add("level", "string")
        kernel.load("crmid\tlevel\nK1\t5\n", COLUMNS)
        kernel.load("crmid\tlevel\nK1\tgold\n", COLUMNS)
        kernel.workspace.attributes.change("level", type="integer")
        assert values_of_k1(kernel) == "5"
        entries = kernel.workspace.profiles.value_history("crmid", "K1", "level")
        assert [(e["value"], e["effect"], e["is_current"]) for e in entries] == [
            ("gold", "does not fit", False),
            ("5", "set", True),
        ]

    def test_in_one_file_the_lines_that_fit_count(self, kernel):
        kernel.workspace.attributes.add("level", "string")
        kernel.load("crmid\tlevel\nK1\t5\nK1\tgold\n", COLUMNS)
        kernel.workspace.attributes.change("level", type="integer")
        assert values_of_k1(kernel) == "5"
        assert kernel.workspace.profiles.show("crmid", "K1")["attributes"]["level"]["line"] == 2

    def test_a_text_that_does_not_fit_clears_nothing_and_keeps_nothing_out(self, kernel):
        kernel.workspace.attributes.add("level", "string")
        keep = {"crmid": "crmid", "level": {"attribute": "level", "conflict": "keep"}}
        for cell in ("gold", "5", "6"):
            kernel.load(f"crmid\tlevel\nK1\t{cell}\n", keep)
        assert values_of_k1(kernel) == "gold"
        kernel.workspace.attributes.change("level", type="integer")
        assert values_of_k1(kernel) == "5"

    def test_a_later_file_fills_the_place(self, kernel):
        kernel.workspace.attributes.add("level", "string")
        kernel.load("crmid\tlevel\nK1\tgold\n", COLUMNS)
        kernel.workspace.attributes.change("level", type="integer")
        kernel.load("crmid\tlevel\nK1\t7\n", COLUMNS)
        assert values_of_k1(kernel) == "7"
        kernel.workspace.attributes.change("level", type="string")
        assert values_of_k1(kernel) == "7"

    def test_a_file_that_keeps_older_values_finds_none_and_sets_its_own(self, kernel):
        kernel.workspace.attributes.add("level", "string")
        kernel.load("crmid\tlevel\nK1\tgold\n", COLUMNS)
        kernel.workspace.attributes.change("level", type="integer")
        kernel.load("crmid\tlevel\nK1\t7\n", {"crmid": "crmid", "level": {"attribute": "level", "conflict": "keep"}})
        assert values_of_k1(kernel) == "7"

    def test_minimum_and_sum_are_folded_in_the_new_type(self, kernel):
        for name in ("least", "total"):
            kernel.workspace.attributes.add(name, {"least": "string", "total": "integer"}[name])
        columns = {
            "crmid": "crmid",
            "a": {"attribute": "least", "combine": "min"},
            "b": {"attribute": "total", "combine": "sum"},
        }
        kernel.load("crmid\ta\tb\nK1\t10\t2\nK1\t9\t3\n", columns)
        assert kernel.values("crmid", "K1") == {"crmid": "K1", "least": "10", "total": "5"}
        for name in ("least", "total"):
            kernel.workspace.attributes.change(name, type="number")
        assert kernel.values("crmid", "K1") == {"crmid": "K1", "least": "9", "total": "5"}
        assert kernel.workspace.profiles.show("crmid", "K1")["attributes"]["least"]["line"] == 3


def values_of_k1(kernel):
    found = kernel.values("crmid", "K1").get("level")
    before = kernel.workspace.digest()
    kernel.workspace.rebuild()
    assert kernel.workspace.digest() == before
    return found


class TestRefusals:
    @pytest.mark.parametrize(
        ("name", "kind", "code"),
        [
            ("first_name", "integer", "type_not_changeable"),  # personal data
            ("crmid", "integer", "type_not_changeable"),  # an identifier
            ("city", "email", "type_not_changeable"),  # the profile cannot tell what fits
            ("city", "colour", "unknown_type"),
            ("shoe_size", "integer", "unknown_attribute"),
        ],
    )
    def test_what_cannot_change_says_so_and_stays(self, kernel, name, kind, code):
        before = stored(kernel)
        for change in (
            lambda: kernel.workspace.attributes.change(name, type=kind, display_name="Other"),
            lambda: kernel.workspace.attributes.preview_type(name, kind),
        ):
            with pytest.raises(InputError) as caught:
                change()
            assert (caught.value.code, bool(caught.value.hint)) == (code, True)
        assert stored(kernel) == before

    @pytest.mark.parametrize(("rule", "kind"), [("sum", "string"), ("count", "date"), ("max", "boolean")])
    def test_values_that_uploads_compute_with_keep_a_type_that_can(self, kernel, rule, kind):
        kernel.workspace.attributes.add("level", "number")
        rules = {"attribute": "level", "combine": rule}
        first = kernel.load("crmid\tlevel\nK1\t5\n", {"crmid": "crmid", "level": rules})
        kernel.workspace.undo.undo(first.request_id)  # it may come back
        with pytest.raises(StateError) as caught:
            kernel.workspace.attributes.change("level", type=kind)
        assert (caught.value.code, caught.value.facts["combine"]) == ("type_in_use", [rule])
        assert kernel.workspace.attributes.change("level", type="integer").type == "integer"

    def test_a_fault_on_the_way_leaves_all_as_it_was(self, levels, monkeypatch):
        before = stored(levels)
        for point in ("change type:before", "change type:after", "commit:before"):
            monkeypatch.setenv("ONRAMP_FAULT", f"{point}:error")
            with pytest.raises(StateError):
                levels.workspace.attributes.change("level", type="integer", display_name="Level!")
            monkeypatch.delenv("ONRAMP_FAULT")
            assert stored(levels) == before
        assert values(levels) == TEXTS


class TestNames:
    def test_they_change_and_are_taken_away(self, levels):
        attributes = levels.workspace.attributes
        made = attributes.change("level", display_name=" Member level ", segment="LEVEL", macro="LEVEL")
        assert (made.display_name, made.segment, made.macro) == ("Member level", "LEVEL", "LEVEL")
        assert attributes.change("level", segment=None) == made.model_copy(update={"segment": None})
        assert attributes.change("LEVEL").macro == "LEVEL"

    @pytest.mark.parametrize("what", ["segment", "macro"])
    def test_a_name_of_another_attribute_is_taken(self, levels, what):
        attributes = levels.workspace.attributes
        attributes.add("tier", "string", **{what: "TIER"})
        with pytest.raises(StateError) as caught:
            attributes.change("level", **{what: "TIER"})
        assert caught.value.code == "attribute_exists"
        assert attributes.change("tier", **{what: "TIER"}).type == "string"

    @pytest.mark.parametrize(
        ("given", "code"),
        [
            ({"display_name": " "}, "bad_name"),
            ({"display_name": ""}, "bad_name"),
            ({"segment": "lower"}, "bad_upper_snake"),
            ({"macro": ""}, "bad_upper_snake"),
        ],
    )
    def test_an_unusable_name_is_refused(self, levels, given, code):
        with pytest.raises(InputError) as caught:
            levels.workspace.attributes.change("level", **given)
        assert caught.value.code == code


def test_a_change_is_on_the_audit_log_without_values(levels):
    levels.workspace.attributes.change("level", type="integer", display_name="Member level")
    levels.workspace.attributes.change("level", type="integer")  # nothing to change, nothing to tell
    with levels.workspace.engine.session() as session:
        ((actor, what, detail),) = session.rows(
            "SELECT actor, object, detail FROM audit WHERE action = 'change attribute'"
        )
        assert verify_audit(session) is None
    assert (actor, what) == ("asha", "level")
    assert json.loads(detail) == {
        "display_name": {"before": "Level", "after": "Member level"},
        "type": {
            "type_before": "string", "type_after": "integer", "profiles": 4, "same": 1, "rewritten": 2, "lost": 1,
            "regained": 0, "texts_lost": 1,
        },
    }  # fmt: skip
    assert "gold" not in detail


def test_the_new_type_and_its_values_are_there_after_the_process_is_gone(home, tmp_path):
    with Workspace.open(home) as workspace:
        kernel = Kernel(workspace, tmp_path)
        workspace.attributes.add("level", "string")
        kernel.load("crmid\tlevel\nK1\t007\n", COLUMNS)
        workspace.attributes.change("level", type="integer")
        digest = workspace.digest()
    with Workspace.open(home) as workspace:
        assert workspace.digest() == digest
        assert Kernel(workspace, tmp_path).values("crmid", "K1") == {"crmid": "K1", "level": "7"}


# ── after any sequence ──────────────────────────────────────────────────────────────────────────────────

KINDS = {
    "city": ["integer", "number", "date", "datetime", "string"],
    "total": ["integer", "number", "string", "date"],
    "visits": ["integer", "number", "string", "boolean"],
}
CHANGES = st.lists(
    st.sampled_from(sorted(KINDS)).flatmap(lambda name: st.tuples(st.just(name), st.sampled_from(KINDS[name]))),
    min_size=1,
    max_size=4,
)


def change(product: Product, name: str, kind: str) -> None:
    """A change of type, unless an upload computes with the values in a way that this type cannot."""
    try:
        product.ws.attributes.change(name, type=kind)
    except StateError as error:
        if error.code != "type_in_use":
            raise


def load(product: Product, upload: Upload) -> Receipt | None:
    """A load, unless its mapping computes with values in a way that their type of now cannot."""
    try:
        return product.load(upload)
    except InputError as error:
        if error.code != "combine_not_possible":
            raise
        return None


def check_rebuild(product: Product) -> None:
    before = product.ws.digest()
    product.ws.rebuild()
    assert product.ws.digest() == before


@judged(15)
@given(made=uploads(most=4), changes=CHANGES)
def test_changing_back_restores_everything(
    templates: Templates, made: list[Upload], changes: list[tuple[str, str]]
) -> None:
    with templates.workspace(shared_limit=2, threads=2) as product:
        for upload in made:
            product.load(upload)
        types = {name: product.ws.attributes.get(name).type for name in KINDS}
        before = product.ws.digest()
        for name, kind in changes:
            change(product, name, kind)
            check_rebuild(product)
        for name, kind in types.items():
            product.ws.attributes.change(name, type=kind)
        assert product.ws.digest() == before


@judged(15)
@given(made=uploads(most=5), changes=CHANGES, undone=st.integers(0, 4))
def test_a_rebuild_finds_the_same_after_uploads_changes_of_type_and_an_undo(
    templates: Templates, made: list[Upload], changes: list[tuple[str, str]], undone: int
) -> None:
    """A change after each upload, one upload taken back in between and let count again at the end."""
    with templates.workspace(shared_limit=2, threads=2) as product:
        receipts = []
        for step, upload in enumerate(made):
            receipts.append(load(product, upload))
            check_rebuild(product)
            if step < len(changes):
                change(product, *changes[step])
                check_rebuild(product)
        taken = receipts[undone % len(receipts)]
        if taken is not None and taken.status == "Completed":
            product.ws.undo.undo(taken.request_id)
            check_rebuild(product)
            change(product, *changes[-1])
            product.ws.undo.redo(taken.request_id, again=True)
            check_rebuild(product)
