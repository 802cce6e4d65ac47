"""The last step: who would become one, what looks dangerous, what else happens, before anything is stored."""

from __future__ import annotations

import pytest

from ingest_core.files import PathSource
from ingest_core.models import ColumnMapping, Mapping, Options
from tests.pages.shown import texts

COLUMNS = ("crmid", "email", "phone")


@pytest.fixture
def load(workspace, source, tmp_path):
    def run(name, *rows):
        path = tmp_path / name
        path.write_text("\n".join(["\t".join(COLUMNS), *rows]) + "\n", "utf-8")
        mapping = Mapping(columns=tuple(ColumnMapping(column=name, attribute=name) for name in COLUMNS))
        return workspace.loads.load(workspace.plan(PathSource(path), source, mapping, Options()))

    return run


@pytest.fixture
def at_run(open_page, workspace, source):
    """The run step over a file of these rows."""

    def opened(*rows, **options):
        data = "\n".join(["\t".join(COLUMNS), *rows]) + "\n"
        writer = workspace.landing.create("next.tsv", len(data))
        writer.write(data.encode())
        draft_id = workspace.drafts.create(source.source_id)
        columns = [ColumnMapping(column=name, attribute=name).model_dump() for name in COLUMNS]
        state = {"landing_id": writer.finish(), "file": "next.tsv", "size": len(data), "columns": columns}
        chosen = Options(**options).model_dump(mode="json")
        workspace.drafts.save(draft_id, {**state, "header": list(COLUMNS), "options": chosen})
        return open_page("ingest", draft=draft_id, step="run")

    return opened


def figures(page):
    return {metric.label: metric.value for metric in page.metric}


def test_a_file_that_joins_nobody_is_calm(at_run):
    page = at_run("K1\ta@example.com\t")
    assert "No known profiles become one, and every identifier joins whom it should." in texts(page)
    assert figures(page)["Would merge"] == "0 profiles"
    assert len(page.warning) == 0
    assert not page.expander


def test_merges_are_said_first_and_listed_masked(at_run, load):
    load("first.tsv", "\tasha@example.com\t", "\t\t+4930123456", "K1\t\t")
    page = at_run("\tasha@example.com\t+4930123456", "K2\tnone@none.com\t", "k1\t\t")
    shown = texts(page)
    assert "; 1 profile would merge." in shown
    found = figures(page)
    assert (found["Would merge"], found["Blocked values"], found["Differ only in case"]) == ("1 profile", "1 cell", "1")
    (table,) = page.dataframe
    assert list(table.value["profile"]) == ["1-2", "1-3"]
    assert list(table.value["value"]) == ["a•••@example.com", "+49 •••• 3456"]
    assert list(table.value["line"]) == ["2", "2"]
    assert "asha@" not in shown
    assert page.button(key="load").label == "Load 3 rows"


def test_one_merge_of_many_is_said_loudly_and_asks_for_nothing(at_run, load):
    load("first.tsv", *(f"\te{n}@example.com\t" for n in range(7)))
    page = at_run(*(f"\te{n}@example.com\t+4930123456" for n in range(7)))
    assert [said.value for said in page.warning if said.value.startswith("7 profiles would become one person.")]
    assert not page.button(key="load").disabled


def test_what_else_happens_is_counted(at_run, load, workspace):
    load("first.tsv", "K1\ta@example.com\t", "K2\tb@example.com\t")
    page = at_run(
        "K1\ta@example.com\t", "K3\tc@example.com\t", replace="members", segment="create:LEADS",
        notify=("asha@example.com",),
    )  # fmt: skip
    shown = texts(page)
    assert "has **2 members** afterwards, 2 now; **1** leave it." in shown
    assert "Segment LEADS is created with **2 profiles**." in shown
    assert "1 address is told when it begins, takes long and ends" in shown
    page.button(key="load").click().run()
    workspace.jobs.run_waiting()
    receipt = workspace.history.list(limit=1)[0]
    assert (receipt.members, receipt.memberships_ended, receipt.stored) == (2, 1, 2)


def test_a_file_of_which_nothing_would_be_stored_promises_nothing(at_run):
    page = at_run("\tnone@none.com\t")
    assert page.button(key="load").disabled
    assert "Who becomes one with whom" not in texts(page)
    assert "What else happens" not in texts(page)
