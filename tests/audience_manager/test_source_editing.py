"""Data sources are changed after they were made; what gives stored ids their meaning stays."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ingest_core.audience_manager.outbound.orders import Order
from ingest_core.audience_manager.processing import BatchOptions
from ingest_core.clock import now
from ingest_core.errors import OnrampError
from ingest_core.ledger.audit import verify_audit
from ingest_core.workspace import Workspace
from tests.audience_manager.memory import MemoryFile

DAY_0 = now() - timedelta(days=100)


@pytest.fixture
def workspace(tmp_path):
    with Workspace.open(tmp_path / "home", user="Asha Menon") as opened:
        opened.sources.add("People", kind="data_source", dpid=21, id_type="cross_device")
        opened.sources.add("Cookies", kind="data_source", dpid=33, id_type="cookie")
        opened.sources.add("New", kind="data_source", dpid=50)
        opened.audience.traits.add("Buyer", 21, trait_id=1, ttl_days=0)
        yield opened


def change(workspace, of, **changes):
    return workspace.audience.source_editing.change(workspace.sources.get(of).source_id, **changes)


def refused(workspace, name, **changes):
    before = workspace.sources.get(name)
    with pytest.raises(OnrampError) as caught:
        change(workspace, name, **changes)
    assert caught.value.hint
    assert workspace.sources.get(name) == before
    return caught.value.code


def take(workspace, days, name, text):
    report = workspace.audience.ingest([MemoryFile(name, text.encode())], BatchOptions(DAY_0 + timedelta(days=days)))
    assert report.rejected == []
    return report.request_id


def audit(workspace):
    with workspace.engine.session() as session:
        assert verify_audit(session) is None
        return session.rows("SELECT actor, object, detail FROM audit WHERE action = 'change source' ORDER BY seq")


def test_everything_can_be_changed_before_files_came(workspace):
    fields = {
        "kind": "customer", "dpid": 51, "id_type": "cookie", "inbound_id_type": "aam_uuid", "owner": "other",
        "id_attribute": "crmid", "id_placement": "first column",
    }  # fmt: skip
    settings = {"access_mapping": True, "profile_days": 60, "is_case_sensitive": False, "recipients": ("a@b.de",)}
    made = change(workspace, "New", name="Newer", description="Of a partner", fields=fields, settings=settings).source
    assert made == workspace.sources.get("Newer")
    assert {name: getattr(made, name) for name in fields} == fields
    assert {name: getattr(made.settings, name) for name in settings} == settings
    assert made.description == "Of a partner"


@pytest.mark.parametrize(
    "fields", [{"kind": "customer"}, {"dpid": 51}, {"id_type": "cookie"}, {"inbound_id_type": "aam_uuid"}]
)
@pytest.mark.parametrize(
    ("name", "text"),
    [("ftp_dpm_21_1600000000.sync", "a\td_sid=1\n"), ("adobe_id_0_21_1600000000.sync", f"{1:038}\ta\n")],
)
def test_what_ids_mean_stays_once_files_were_stored(workspace, fields, name, text):
    change(workspace, "People", fields={"id_placement": "cookie"})
    request_id = take(workspace, 0, name, text)
    assert refused(workspace, "People", fields=fields) == "source_in_use"
    workspace.audience.undo(request_id)  # it may count again
    assert refused(workspace, "People", fields=fields) == "source_in_use"
    assert change(workspace, "People", fields={"owner": "other", "id_placement": None}).source.owner == "other"


def test_a_file_for_the_traits_of_a_source_is_a_file_of_it(workspace):
    take(workspace, 0, f"ftp_dpm_0_21_{1_600_000_000}.sync", f"{1:038}\td_sid=1\n")
    assert workspace.audience.source_editing.files(workspace.sources.get("People")) == 1
    assert refused(workspace, "People", fields={"id_type": "cookie"}) == "source_in_use"


@pytest.mark.parametrize("by", ["trait", "control", "order"])
def test_a_dpid_that_is_named_elsewhere_stays(workspace, by, tmp_path):
    if by == "trait":
        workspace.audience.traits.add("Reader", 50, trait_id=7)
    elif by == "control":
        workspace.outbound.orders.set_controls(50, ("ads",))
    else:
        workspace.outbound.orders.add(Order(order_id=9, name="Out", master=50, folder=str(tmp_path)))
    assert refused(workspace, "New", fields={"dpid": 51}) == "source_in_use"
    assert change(workspace, "New", fields={"id_type": "cookie"}).source.id_type == "cookie"


def test_two_sources_cannot_have_one_dpid_by_a_change(workspace):
    assert refused(workspace, "New", fields={"dpid": 33}) == "dpid_taken"
    assert refused(workspace, "New", fields={"dpid": 0}) == "bad_dpid"
    assert change(workspace, "New", fields={"dpid": None}).source.dpid is None


def test_personal_data_is_no_id_and_days_have_limits(workspace):
    assert refused(workspace, "People", fields={"id_attribute": "email"}) == "personal_id"
    assert refused(workspace, "People", fields={"id_attribute": "none such"}) == "unknown_attribute"
    assert refused(workspace, "People", settings={"profile_days": 29}) == "bad_days"
    assert refused(workspace, "People", settings={"recipients": ("x",)}) == "bad_address"


def test_other_days_count_at_once_and_say_what_they_end(workspace):
    take(workspace, 0, "ftp_dpm_21_1600000000.sync", "a\td_sid=1\n")
    take(workspace, 80, "ftp_dpm_21_1600000001.sync", "b\td_sid=1\n")
    editing, people = workspace.audience.source_editing, workspace.sources.get("People")
    assert editing.effect_of_days(people, 60).model_dump() == {"ended": 1, "back": 0}
    assert set(workspace.audience.members()) == {(21, "a"), (21, "b")}
    assert change(workspace, "People", settings={"profile_days": 60}).effect.ended == 1
    assert set(workspace.audience.members()) == {(21, "b")}
    assert change(workspace, "People", settings={"profile_days": 720}).effect.back == 1
    assert set(workspace.audience.members()) == {(21, "a"), (21, "b")}


def test_days_of_a_cookie_source_end_nobody(workspace):
    assert change(workspace, "Cookies", settings={"profile_days": 30}).effect.model_dump() == {"ended": 0, "back": 0}


def test_batches_keep_the_days_they_were_processed_with(workspace):
    workspace.audience.traits.add("Seen", 21, trait_id=2, ttl_days=0)
    take(workspace, 0, "ftp_dpm_21_1600000000.sync", "a\td_sid=1\n")
    change(workspace, "People", settings={"profile_days": 60})
    second = take(workspace, 70, "ftp_dpm_21_1600000001.sync", "a\td_sid=2\n")  # a was gone: begins anew
    change(workspace, "People", settings={"profile_days": 720})
    held = {profile: set(traits) for profile, traits in workspace.audience.members().items()}
    assert held == {(21, "a"): {2}}
    before = workspace.audience.digest()
    assert workspace.rebuild()["audience"] == before
    workspace.audience.undo(second)
    assert {profile: set(traits) for profile, traits in workspace.audience.members().items()} == {(21, "a"): {1}}
    workspace.audience.redo(second)
    assert workspace.audience.digest() == before


def test_changes_are_on_the_audit_log_without_what_people_wrote(workspace):
    change(workspace, "People", fields={"owner": "other", "id_placement": "asha@example.com"}, description="For Asha")
    change(workspace, "People", settings={"recipients": ("asha@example.com",), "profile_days": 90})
    change(workspace, "People", settings={"profile_days": 90})
    entries = audit(workspace)
    assert [(actor, name) for actor, name, _ in entries] == [("Asha Menon", "People")] * 2
    assert "asha" not in repr([detail for _, _, detail in entries]).lower()
    assert '"owner": {"after": "other", "before": null}' in entries[0][2]
    assert '"profile_days": {"after": 90, "before": 720}' in entries[1][2]
