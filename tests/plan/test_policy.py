"""Strict asks for a person's word where friendly repairs and says so; other formats are converted or refused."""

from __future__ import annotations

import gzip

import pytest

from ingest_core.errors import InputError
from ingest_core.plan.policy import repaired_notice

FILE = "cust id\te-mail\tcity\nK1\tpriya@example.in\tPune\n"
AS_IN_THE_FILE = {"city": "city"}
NAMED = {"cust_id": "crmid", "e_mail": "email", "city": "city"}
REPAIRED = "2 column names were repaired: “cust id” → cust_id, “e-mail” → e_mail."


def choose(kernel, **rules):
    kernel.workspace.configuration.set(rules)


def code_of(call, *arguments, **options):
    with pytest.raises(InputError) as caught:
        call(*arguments, **options)
    return caught.value.code


def test_strict_offers_repaired_names_and_takes_them_from_a_person_only(kernel):
    found = kernel.workspace.inspect(kernel.file(FILE))
    assert [problem.code for problem in found.problems] == ["header_space", "header_hyphen"]
    assert [problem.fix for problem in found.problems] == ["cust id → cust_id", "e-mail → e_mail"]
    assert code_of(kernel.plan, FILE, None, is_auto=True) == "bad_header"
    assert code_of(kernel.plan, FILE, {"cust_id": "crmid"}) == "bad_header"
    receipt = kernel.load(FILE, NAMED)
    assert (receipt.stored, receipt.notices) == (1, ())


def test_strict_remembers_the_names_that_a_person_took(kernel):
    kernel.load(FILE, NAMED)
    assert kernel.load(FILE.replace("Pune", "Goa"), None).updated == 1


def test_friendly_repairs_at_once_and_says_so(kernel):
    choose(kernel, policy="friendly")
    found = kernel.workspace.inspect(kernel.file(FILE))
    assert found.problems == ()
    assert found.notices == (REPAIRED,)
    receipt = kernel.load(FILE, None, is_auto=True)
    assert (receipt.stored, receipt.created) == (1, 1)
    assert REPAIRED in receipt.notices
    assert kernel.values("crmid", "K1")["city"] == "Pune"


def test_friendly_needs_no_mapping_that_names_every_column(kernel):
    choose(kernel, policy="friendly")
    assert kernel.load(FILE, {"cust_id": "crmid"}).stored == 1


def test_friendly_is_silent_about_names_that_are_fine(kernel):
    choose(kernel, policy="friendly")
    receipt = kernel.load("crmid\tcity\nK1\tPune\n", {"crmid": "crmid", "city": "city"})
    assert receipt.notices == ()


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"crmid,city\nK1,Pune\n", "people.csv"),
        (b"\xef\xbb\xbfcrmid\tcity\nK1\tPune\n", "people.tsv"),
        ("crmid\tcity\nK1\tPune\n".encode("utf-16"), "people.tsv"),
        (gzip.compress(b"crmid\tcity\nK1\tPune\n"), "people.tsv.gz"),
    ],
    ids=["commas", "byte order mark", "UTF-16", "gzip"],
)
@pytest.mark.parametrize("policy", ["strict", "friendly"])
def test_other_formats_are_converted_unless_they_are_refused(kernel, data, name, policy):
    columns = {"crmid": "crmid", "city": "city"}
    choose(kernel, policy=policy)
    assert kernel.preview(data, columns, name=name).stored == 1
    choose(kernel, other_formats="refuse")
    found = kernel.workspace.inspect(kernel.file(data, name))
    assert found.problems[0].code == "other_format"
    assert code_of(kernel.plan, data, columns, name=name) == "other_format"


def test_plain_files_are_never_refused(kernel):
    choose(kernel, other_formats="refuse")
    assert kernel.load("crmid\tcity\nK1\tPune\n", {"crmid": "crmid", "city": "city"}).stored == 1
    assert kernel.load("crmid\nK2\n", {"crmid": "crmid"}).stored == 1  # one column has no separator


def test_a_long_list_of_repairs_is_cut():
    names = [f"name {n}" for n in range(8)]
    said = repaired_notice(names)
    assert said is not None
    assert said.startswith("8 column names were repaired: “name 0” → name_0, ")
    assert said.endswith(" and 3 more.")
    assert repaired_notice(["", "b"]) == "1 column name was repaired: (no name) → column_1."
    assert repaired_notice(["a", "b"]) is None
