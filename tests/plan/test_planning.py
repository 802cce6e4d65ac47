"""Plans: what is refused before anything is read into the workspace, and what is frozen."""

from __future__ import annotations

import dataclasses

import pytest

from ingest_core.errors import OnrampError
from ingest_core.models import Options
from tests.workspaces import mapping_of

FILE = "crmid\temail\tcity\nK1\tpriya@example.in\tPune\n"
COLUMNS = {"crmid": "crmid", "email": "email", "city": "city"}


def refused(call, *args, **kwargs):
    with pytest.raises(OnrampError) as caught:
        call(*args, **kwargs)
    assert caught.value.hint or "loaded" in caught.value.message
    return caught.value


def nothing_changed(kernel):
    with kernel.workspace.engine.session() as session:
        tables = ("upload", "mapping", "record", "profile", "vault_page", "segment")
        return {session.value(f"SELECT count(*) FROM {table}") for table in tables} == {0}


def test_an_archived_source_takes_no_files(kernel):
    kernel.workspace.sources.archive(kernel.source().source_id)
    assert refused(kernel.plan, FILE, COLUMNS).code == "source_archived"
    assert nothing_changed(kernel)


def test_a_source_without_mapping_asks_for_one(kernel):
    assert refused(kernel.plan, FILE, None).code == "no_mapping"
    assert nothing_changed(kernel)


@pytest.mark.parametrize("data", ["crmid\temail\tcity\n", "crmid\temail\tcity"])
def test_a_header_without_rows_is_refused(kernel, data):
    assert refused(kernel.plan, data, COLUMNS).code == "no_data_rows"


def test_an_empty_file_is_refused(kernel):
    assert refused(kernel.plan, "", COLUMNS).exit_code == 2


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"city": "city"}, "no_identifier_mapped"),
        ({"crmid": "shoe_size"}, "unknown_attribute"),
        ({"crmid": "crmid", "email": "crmid"}, "attribute_mapped_twice"),
        ({"crmid": {"attribute": "crmid", "pii": True}}, "mapping_conflict"),
        ({"crmid": {"attribute": "crmid", "combine": "sum"}}, "combine_not_possible"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused(kernel, columns, code):
    assert refused(kernel.plan, FILE, columns).code == code
    assert nothing_changed(kernel)


def test_a_header_that_breaks_the_rules_is_refused_until_the_mapping_names_it(kernel):
    data = "crm id\tcity\nK1\tPune\n"
    error = refused(kernel.plan, data, {"city": "city", "id": "crmid"})
    assert (error.code, error.facts["repairs"]) == ("bad_header", {"crm id": "crm_id"})
    assert kernel.load(data, {"crm_id": "crmid", "city": "city"}).stored == 1


@pytest.mark.parametrize("segment", ["create:slot", "create:", "add:NOBODY", "drop:X", "", "create"])
def test_a_segment_option_is_checked_before_the_file_is_read(kernel, segment):
    assert refused(kernel.plan, FILE, COLUMNS, segment=segment).exit_code == 2
    assert nothing_changed(kernel)


class TestTheSameFileAgain:
    def test_is_refused_with_its_request_id(self, kernel):
        first = kernel.load(FILE, COLUMNS)
        error = refused(kernel.plan, FILE, COLUMNS, name="other name.tsv")
        assert (error.code, error.exit_code, error.facts) == ("already_loaded", 3, {"request_id": first.request_id})

    def test_is_loaded_when_asked_for(self, kernel):
        kernel.load(FILE, COLUMNS)
        again = kernel.load(FILE, COLUMNS, again=True)
        assert (again.status, again.stored, again.unchanged) == ("Completed", 1, 1)

    def test_is_loaded_for_another_source_and_after_a_failure(self, kernel):
        assert kernel.load(FILE, {"city": "crmid", "crmid": None, "email": None}).stored == 1
        assert kernel.load(FILE, COLUMNS, "Shop").stored == 1
        bad = "crmid\tcity\n0\tPune\n"
        assert kernel.load(bad, {"crmid": "crmid"}).status == "Failed"
        assert kernel.plan(bad, {"city": "crmid"}).facts.sha256


class TestWithoutAMapping:
    def test_the_sources_own_for_this_header_is_taken(self, kernel):
        kernel.load(FILE, COLUMNS)
        second = kernel.load(FILE.replace("Pune", "Goa"), None)
        assert (second.mapping_version, second.stored) == (1, 1)
        assert refused(kernel.plan, "other\tcity\nK1\tPune\n", None).code == "no_mapping"

    def test_auto_takes_what_is_sure_and_names_the_rest(self, kernel):
        data = "crmid\temail\tzzq\n" + "".join(f"K{n}\tp{n}@example.in\tv{n % 3}\n" for n in range(50))
        receipt = kernel.load(data, None, is_auto=True)
        assert (receipt.stored, receipt.ignored_columns) == (50, ("zzq",))
        assert kernel.values("email", "p7@example.in") == {"crmid": "K7", "email": "p7@example.in"}
        assert "Columns not loaded: zzq." in receipt.notices

    def test_auto_does_not_accept_a_repaired_name(self, kernel):
        data = "e mail\tcrmid\n" + "".join(f"p{n}@example.in\tK{n}\n" for n in range(50))
        assert refused(kernel.plan, data, None, is_auto=True).code == "bad_header"

    def test_auto_without_anything_sure_is_refused(self, kernel):
        data = "zzq\tzzr\n" + "".join(f"a{n % 4}\tb{n % 3}\n" for n in range(50))
        assert refused(kernel.plan, data, None, is_auto=True).code in ("no_identifier_mapped", "no_mapping")


def test_a_plan_is_frozen(kernel):
    plan = kernel.plan(FILE, COLUMNS)
    with pytest.raises(dataclasses.FrozenInstanceError):
        plan.source = None
    assert (plan.uploaded_by, plan.columns) == ("asha", ("crmid", "email", "city"))
    assert nothing_changed(kernel), "planning stores nothing"


@pytest.mark.parametrize(
    "name", ["[ab]*.csv", "../../keys.json", "=cmd|' /C calc'!A0.tsv", "名前.tsv", "'; DROP TABLE upload; --"]
)
def test_the_name_of_the_file_is_only_data(kernel, name):
    """File names are globs to the engine (F7); it never sees them."""
    receipt = kernel.load(FILE, COLUMNS, name=name)
    assert receipt.file == kernel.workspace.history.get(receipt.request_id).file == name


def test_overrides_say_how_the_file_is_read(kernel):
    file = kernel.file("K1|Pune\nK2|Goa\n")
    mapping = mapping_of({"column_1": "crmid", "column_2": "city"})
    overrides = {"has_header": False, "delimiter": "|", "unknown": 1}
    plan = kernel.workspace.plan(file, kernel.source(), mapping, Options(), overrides=overrides)
    assert kernel.workspace.loads.load(plan).stored == 2
