"""The file against the former one of its source: findings counted by hand, and what is asked about."""

from __future__ import annotations

import pytest

from ingest_core.errors import Held
from ingest_core.models import SourceSettings
from ingest_core.plan import drift

COLUMNS = {"crmid": "crmid", "email": "email", "city": "city", "bought": "bought", "level": "level"}


@pytest.fixture(autouse=True)
def _attributes(kernel):
    kernel.workspace.attributes.add("bought", "date")
    kernel.workspace.attributes.add("level", "integer")


def people(numbers, *, email=None, city="Pune", bought="", level="", crmid="K"):
    """A file of these people; a column is one text for all, or a function of a person's number."""
    told = {"email": email or (lambda n: f"p{n}@example.in"), "city": city, "bought": bought, "level": level}
    lines = ["crmid\t" + "\t".join(told)]
    for n in numbers:
        cells = [column(n) if callable(column) else column for column in told.values()]
        lines.append("\t".join([f"{crmid}{n}" if crmid else "", *cells]))
    return "\n".join(lines) + "\n"


def gate(kernel, percent, source="CRM"):
    kernel.workspace.sources.update(kernel.source(source).source_id, settings=SourceSettings(drift_percent=percent))


def found(receipt, what, column=None):
    """(before, now, change) of one finding, None when there is none."""
    (*ours,) = [one for one in receipt.drift if one.what == what and column in (None, one.column)]
    assert len(ours) <= 1
    return (ours[0].before, ours[0].now, ours[0].change) if ours else None


def some(part, text):
    """Filled for the first ``part`` people."""
    return lambda n: text if n < part else ""


def query(kernel, sql):
    with kernel.workspace.engine.session() as session:
        return session.rows(sql)


class TestFindings:
    def test_the_first_file_of_a_source_is_compared_with_nothing(self, kernel):
        kernel.load(people(range(40)), COLUMNS, "Shop")
        gate(kernel, 0)
        receipt = kernel.load(people(range(40)), COLUMNS)
        assert receipt.drift == ()
        assert [step.name for step in receipt.steps if step.name.startswith("drift")] == []

    def test_rows_are_those_accepted(self, kernel):
        kernel.load(people(range(40)), COLUMNS)
        file = people(range(30)) + "K90\tno address\t\t\t\n" * 30 + "\n"
        assert found(kernel.load(file, COLUMNS), "rows") == (40, 30, -25)

    def test_filled_is_the_share_of_rows_that_say_something_also_of_pii(self, kernel):
        kernel.load(people(range(40), email=some(30, "a@example.in"), city=some(10, "Goa")), COLUMNS)
        receipt = kernel.load(people(range(20), email=some(5, "b@example.in"), city="Pune"), COLUMNS)
        assert found(receipt, "filled", "email") == (75, 25, -50)
        assert found(receipt, "filled", "city") == (25, 100, 75)
        assert found(receipt, "filled", "crmid") == (100, 100, 0)
        assert found(receipt, "filled", "bought") == (0, 0, 0)

    def test_a_cleared_cell_is_not_filled(self, kernel):
        rules = {**COLUMNS, **{name: {"attribute": name, "blank": "clear"} for name in ("email", "city")}}
        kernel.load(people(range(20), email=some(10, "a@example.in"), city=some(10, "Goa")), rules)
        receipt = kernel.load(people(range(20)), rules)
        assert (found(receipt, "filled", "email"), found(receipt, "filled", "city")) == ((50, 100, 50),) * 2

    def test_a_column_that_only_one_file_has_is_empty_in_the_other(self, kernel):
        kernel.load(people(range(20)), {**COLUMNS, "bought": None, "level": None})
        receipt = kernel.load(people(range(20), level="1"), {**COLUMNS, "city": None, "bought": None})
        assert found(receipt, "filled", "city") == (100, 0, -100)
        assert found(receipt, "filled", "level") == (0, 100, 100)
        assert found(receipt, "filled", "bought") is None
        assert found(receipt, "filled", "first_name") is None

    def test_new_values_are_those_the_former_file_did_not_have(self, kernel):
        kernel.load(people(range(40), city=lambda n: ("Pune", "Goa", "")[n % 3], level=lambda n: str(n % 4)), COLUMNS)
        city = ["Pune"] * 20 + ["Agra"] * 8 + ["goa"] * 2 + [""] * 10
        receipt = kernel.load(people(range(40), city=lambda n: city[n], level=lambda n: str(n % 5)), COLUMNS)
        assert found(receipt, "new_values", "city") == (0, 33.33, 33.33)  # 10 of 30
        assert found(receipt, "new_values", "level") == (0, 20, 20)

    def test_what_is_usual_is_what_the_former_file_had(self, kernel):
        """A batch name is new in every file: only the second file is told."""
        for number, expected in enumerate([None, (0, 100, 100), (100, 100, 0), (100, 100, 0)]):
            receipt = kernel.load(people(range(20), city=f"batch {number}"), COLUMNS)
            assert found(receipt, "new_values", "city") == expected
        gate(kernel, 0.1)
        receipt = kernel.load(people(range(20), city="batch 3", level="1"), COLUMNS, accept_drift=True)
        (city,) = [one for one in receipt.drift if (one.what, one.column) == ("new_values", "city")]
        assert (city.change, city.is_over) == (-100, False)  # fewer than usual is no alarm

    @pytest.mark.parametrize(("values", "is_looked_at"), [(1, True), (50, True), (51, False), (400, False)])
    def test_an_attribute_of_many_values_is_no_list(self, kernel, values, is_looked_at):
        kernel.load(people(range(400), city=lambda n: f"city {n % values}"), COLUMNS)
        receipt = kernel.load(people(range(400), city="another"), COLUMNS)
        assert found(receipt, "new_values", "city") == ((0, 100, 100) if is_looked_at else None)

    def test_pii_identifiers_and_dates_are_not_looked_at_for_values(self, kernel):
        rules = {**COLUMNS, "city": "first_name"}
        kernel.load(people(range(20), email=lambda n: "a@example.in", bought="2026-01-31"), rules)
        receipt = kernel.load(people(range(20), email=lambda n: "b@example.in", bought="2026-02-28"), rules)
        assert found(receipt, "new_values") is None
        assert found(receipt, "filled", "first_name") == (100, 100, 0)

    def test_overlap_is_the_share_of_the_former_files_people(self, kernel):
        """0–39, then 20–59 twice each: 20 of 40. Then 50–69: 10 of 40. The first of these sets what is usual."""
        kernel.load(people(range(40)), COLUMNS)
        receipt = kernel.load(people([*range(20, 60), *range(20, 60)]), COLUMNS)
        assert found(receipt, "overlap") == (50, 50, 0)
        receipt = kernel.load(people(range(50, 70)), COLUMNS)
        assert found(receipt, "overlap", "crmid") == (50, 25, -25)

    def test_overlap_goes_by_the_strongest_identifier_that_both_files_have(self, kernel):
        def by(receipt):
            return [(one.column, one.now) for one in receipt.drift if one.what == "overlap"]

        def mail(n):
            return f"p{n}@example.in"

        kernel.load(people(range(20)), COLUMNS)
        assert by(kernel.load(people(range(10, 30), crmid=""), COLUMNS)) == [("email", 50)]
        receipt = kernel.load(people(range(10, 30), email=mail, crmid="L"), COLUMNS)
        assert by(receipt) == [("email", 100)]
        assert found(receipt, "overlap") == (50, 100, 50)
        receipt = kernel.load(people(range(10, 30), email=some(0, ""), crmid="L"), COLUMNS)
        assert found(receipt, "overlap", "crmid") == (100, 100, 0)  # not what was usual by e-mail
        assert by(kernel.load(people(range(20), crmid=""), COLUMNS)) == []  # nothing in common

    def test_of_many_rows_one_identifier_in_sixteen_is_looked_at(self, kernel, monkeypatch):
        monkeypatch.setattr(drift, "MANY_ROWS", 4000)
        kernel.load(people(range(4000)), COLUMNS)
        receipt = kernel.load(people(range(2000, 6000)), COLUMNS)
        _, now, _ = found(receipt, "overlap")
        assert 25 < now < 75  # eight standard deviations
        (step,) = [step for step in receipt.steps if step.name == "drift: people"]
        assert "< '10000000-" in step.sql

    @pytest.mark.parametrize(("before", "now"), [(19, 200), (200, 19), (5, 5)])
    def test_shares_of_few_rows_say_nothing(self, kernel, before, now):
        kernel.load(people(range(before)), COLUMNS)
        receipt = kernel.load(people(range(now), city="Goa", email=lambda n: ""), COLUMNS)
        assert [one.what for one in receipt.drift] == ["rows"]

    def test_values_and_people_of_few_filled_cells_neither(self, kernel):
        kernel.load(people(range(40), city=some(19, "Goa"), email=lambda n: "a@example.in", crmid=""), COLUMNS)
        receipt = kernel.load(people(range(40), email=lambda n: "a@example.in", crmid=""), COLUMNS)
        assert {one.what for one in receipt.drift} == {"rows", "filled"}


class TestFormer:
    def test_the_newest_upload_that_is_live(self, kernel):
        kernel.load(people(range(30)), COLUMNS)
        second = kernel.load(people(range(60)), COLUMNS)
        kernel.load(people(range(90)), COLUMNS, "Shop")
        kernel.load("crmid\temail\tcity\tbought\tlevel\n" + "\tno address\t\t\t\n" * 99, COLUMNS)  # failed
        assert found(kernel.preview(people(range(45)), COLUMNS), "rows") == (60, 45, -25)
        kernel.workspace.undo.undo(second.request_id)
        assert found(kernel.preview(people(range(45)), COLUMNS), "rows") == (30, 45, 50)
        kernel.workspace.undo.redo(second.request_id)
        assert found(kernel.preview(people(range(45)), COLUMNS), "rows") == (60, 45, -25)

    def test_none_when_the_only_one_was_undone(self, kernel):
        kernel.workspace.undo.undo(kernel.load(people(range(30)), COLUMNS).request_id)
        gate(kernel, 0)
        assert kernel.load(people(range(45)), COLUMNS).drift == ()

    def test_one_that_was_replaced_is_none(self, kernel):
        kernel.load(people(range(30)), COLUMNS)
        replacing = kernel.load(people(range(60)), COLUMNS, replace="values")
        assert found(replacing, "rows") == (30, 60, 100)
        kernel.workspace.undo.undo(replacing.request_id)
        assert found(kernel.preview(people(range(45)), COLUMNS), "rows") == (30, 45, 50)

    def test_the_same_bytes_again_are_compared_as_the_first_time(self, kernel):
        """Else a second load of the same file would make "everybody comes again" the usual thing."""
        kernel.load(people(range(40)), COLUMNS)
        second = kernel.load(people(range(30, 70)), COLUMNS)
        again = kernel.load(people(range(30, 70)), COLUMNS, again=True)
        assert again.drift == second.drift
        assert found(again, "overlap") == (25, 25, 0)
        assert found(kernel.load(people(range(60, 100)), COLUMNS), "overlap") == (25, 25, 0)


class TestGate:
    @pytest.mark.parametrize(("percent", "is_asked"), [(24.9, True), (25, False), (100, False), (0, True)])
    def test_what_is_further_off_than_the_source_allows_is_asked_about(self, kernel, percent, is_asked):
        kernel.load(people(range(40)), COLUMNS)
        gate(kernel, percent)
        plan = kernel.plan(people(range(30)), {**COLUMNS})
        if not is_asked:
            assert not any(one.is_over for one in kernel.workspace.loads.load(plan).drift)
            return
        with pytest.raises(Held) as caught:
            kernel.workspace.loads.load(plan)
        assert caught.value.code == "unusual_file"
        assert "The file is unlike the former one of CRM: 30 rows instead of 40" in caught.value.message

    def test_nothing_of_it_is_stored_and_the_figures_are_told(self, kernel):
        first = kernel.load(people(range(40)), COLUMNS)
        gate(kernel, 20)
        tables = ("record", "profile", "membership", "vault_page", "reject", "segment", "audit")
        before = (kernel.workspace.digest(), [query(kernel, f"SELECT count(*) FROM {name}") for name in tables])
        plan = kernel.plan(
            people(range(100, 140), email=some(110, "a@example.in"), city="Goa"), COLUMNS, segment="create:NEW"
        )
        with pytest.raises(Held) as caught:
            kernel.workspace.loads.load(plan)
        assert (kernel.workspace.digest(), [query(kernel, f"SELECT count(*) FROM {name}") for name in tables]) == before
        assert caught.value.message == (
            "The file is unlike the former one of CRM: 100 % of the values of city are new instead of 0 %; "
            "email is filled in 25 % of the rows instead of 100 %. Nothing was loaded."
        )
        assert "--accept-drift" in caught.value.hint
        assert caught.value.facts == {
            "former": first.request_id,
            "drift_percent": 20,
            "findings": [
                {"what": "filled", "column": "email", "before": 100, "now": 25, "change": -75, "is_over": True},
                {"what": "new_values", "column": "city", "before": 0, "now": 100, "change": 100, "is_over": True},
            ],
        }
        (failed, _) = kernel.workspace.history.list()
        assert (failed.status, failed.error, failed.stored) == ("Failed", caught.value.as_dict(), 0)
        for value in ("Goa", "example.in", "K100"):
            assert value not in str(failed.error)

    def test_accepted_it_loads_and_says_so(self, kernel):
        kernel.load(people(range(40)), COLUMNS)
        gate(kernel, 20)
        receipt = kernel.load(people(range(10)), COLUMNS, accept_drift=True)
        assert (receipt.status, receipt.stored, receipt.held) == ("Completed", 10, None)
        assert [(one.what, one.is_over) for one in receipt.drift] == [("rows", True)]
        assert "Unlike the former file: 10 rows instead of 40." in receipt.notices
        assert kernel.workspace.history.get(receipt.request_id).drift == receipt.drift
        assert kernel.load(people(range(11)), COLUMNS).status == "Completed", "it is the former one now"

    def test_a_preview_tells_and_does_not_refuse(self, kernel):
        kernel.load(people(range(40)), COLUMNS)
        gate(kernel, 20)
        preview = kernel.preview(people(range(10)), COLUMNS)
        assert (preview.status, preview.stored, preview.held["code"]) == ("Completed", 10, "unusual_file")
        assert "Unlike the former file: 10 rows instead of 40." in preview.notices
        assert kernel.preview(people(range(10)), COLUMNS, accept_drift=True).held is None
        loaded = kernel.load(people(range(10)), COLUMNS, accept_drift=True)
        assert (loaded.drift, loaded.notices) == (preview.drift, preview.notices)

    def test_files_that_each_bring_other_people_are_as_usual(self, kernel):
        gate(kernel, 10)
        for start in (0, 40, 80):
            assert kernel.load(people(range(start, start + 40)), COLUMNS).status == "Completed"
        with pytest.raises(Held, match=r"100 % of the former file's people .* \(by crmid\) instead of 0 %"):
            kernel.load(people(range(80, 120), level="1"), COLUMNS)

    def test_other_people_than_always_are_asked_about(self, kernel):
        gate(kernel, 90)
        kernel.load(people(range(40)), COLUMNS)
        kernel.load(people(range(41)), COLUMNS)
        with pytest.raises(Held, match="0 % of the former file's people are in it again"):
            kernel.load(people(range(500, 540)), COLUMNS)

    def test_too_many_rejects_come_first(self, kernel):
        kernel.load(people(range(40)), COLUMNS)
        settings = SourceSettings(drift_percent=0, threshold_percent=0)
        kernel.workspace.sources.update(kernel.source().source_id, settings=settings)
        receipt = kernel.load(people(range(10)) + "K90\tno address\t\t\t\n", COLUMNS)
        assert (receipt.error["code"], receipt.drift) == ("too_many_rejects", ())

    def test_many_differences_are_a_few_sentences(self, kernel):
        names = [f"x{n}" for n in range(8)]
        for name in names:
            kernel.workspace.attributes.add(name, "integer")
        head, rules = "crmid\t" + "\t".join(names) + "\n", {name: name for name in ("crmid", *names)}
        kernel.load(head + "".join(f"K{n}" + "\t1" * 8 + "\n" for n in range(20)), rules)
        file = head + "".join(f"K{n}" + "\t" * 8 + "\n" for n in range(20))
        notices = kernel.preview(file, rules).notices
        assert len([notice for notice in notices if notice.startswith("Unlike the former file")]) == 5
        assert "3 more differences to the former file." in notices
        gate(kernel, 10)
        with pytest.raises(Held, match=r"; and 3 more differences\. Nothing was loaded\."):
            kernel.load(file, rules)


class TestWithoutGate:
    def test_nothing_is_refused_and_more_than_half_is_a_notice(self, kernel):
        kernel.load(people(range(40)), COLUMNS)
        receipt = kernel.load(people(range(100), city=some(50, "Pune")), COLUMNS)
        assert receipt.status == "Completed"
        assert [one.is_over for one in receipt.drift] == [False] * len(receipt.drift)
        told = [notice for notice in receipt.notices if "former" in notice]
        assert told == ["Unlike the former file: 100 rows instead of 40."]  # city changed by just 50 points

    def test_small_files_are_not_talked_about(self, kernel):
        kernel.load(people(range(1)), COLUMNS)
        assert not any("former" in notice for notice in kernel.load(people(range(19)), COLUMNS).notices)
        assert any("former" in notice for notice in kernel.load(people(range(40)), COLUMNS).notices)


def test_the_statements_hold_no_values_and_are_steps(kernel):
    kernel.load(people(range(40)), COLUMNS)
    receipt = kernel.load(people(range(60), city="Goa"), COLUMNS)
    names = [step.name for step in receipt.steps]
    assert names[: names.index("protect")] == ["read", "drift", "drift: people", "drift: new values"]
    text = "".join(step.sql for step in receipt.steps if step.name.startswith("drift"))
    assert "rid >= ? AND rid < ?" in text  # the engine reads the rows of one upload
    assert "Goa" not in text
