"""A profile's public id leads to its person, also after others were joined to it, and needs no personal value."""

from __future__ import annotations

import pytest

from ingest_core.errors import InputError

BOTH = {"crmid": "crmid", "email": "email"}


def audited(kernel):
    with kernel.workspace.engine.session() as session:
        return session.rows("SELECT object, detail FROM audit WHERE action = 'reveal'")


def test_a_person_is_the_same_by_id_and_by_identifier(kernel):
    kernel.load("crmid\temail\nK1\ta@x.example\nK2\tb@x.example\n", BOTH)
    people = kernel.workspace.profiles
    shown = people.show("crmid", "K2")
    assert people.person(shown["profile_id"]) == shown
    assert people.history_of(shown["profile_id"]) == people.value_history("crmid", "K2")


def test_an_id_of_before_a_merge_leads_to_whom_its_record_belongs_to_now(kernel):
    kernel.load("crmid\nK1\n", {"crmid": "crmid"})
    kernel.load("email\na@x.example\n", {"email": "email"})
    people = kernel.workspace.profiles
    alone = people.show("email", "a@x.example")["profile_id"]
    kernel.load("crmid\temail\nK1\ta@x.example\n", BOTH)
    joined = people.person(alone)
    assert joined["profile_id"] != alone
    assert joined["attributes"]["crmid"]["value"] == "K1"


@pytest.mark.parametrize("wrong", ["", "1", "1-", "-2", "1-99", "9-2", "1-2-3", "x-y", "1-²", "99999999999-1"])
def test_what_is_no_profile_says_so(kernel, wrong):
    kernel.load("crmid\nK1\n", {"crmid": "crmid"})
    for look in (kernel.workspace.profiles.person, kernel.workspace.profiles.history_of):
        with pytest.raises(InputError) as refused:
            look(wrong)
        assert refused.value.code == "no_such_profile"


def test_an_undone_persons_id_names_nobody_until_the_upload_is_back(kernel):
    receipt = kernel.load("crmid\nK1\n", {"crmid": "crmid"})
    kernel.workspace.undo.undo(receipt.request_id)
    with pytest.raises(InputError):
        kernel.workspace.profiles.person("1-2")
    kernel.workspace.undo.redo(receipt.request_id)
    assert kernel.workspace.profiles.person("1-2")["attributes"]["crmid"]["value"] == "K1"


def test_revealing_by_id_is_on_the_audit_log(kernel):
    kernel.load("crmid\temail\nK1\ta@x.example\n", BOTH)
    people = kernel.workspace.profiles
    assert people.person("1-2")["attributes"]["email"]["value"] == "a•••@x.example"
    assert audited(kernel) == []
    assert people.person("1-2", reveal=True)["attributes"]["email"]["value"] == "a@x.example"
    assert people.history_of("1-2", "email", reveal=True)[0]["value"] == "a@x.example"
    assert len(audited(kernel)) == 2
