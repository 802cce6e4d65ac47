"""What a receipt says about who is who: merges with their reasons, and every brake that held, figure by figure."""

from __future__ import annotations

import pytest

from ingest_core.models import BlockedCells, Cluster, MetIdentifiers

ALL = ("crmid", "email", "phone", "device", "city")
COLUMNS = {name: name for name in ALL}


@pytest.fixture(autouse=True)
def _device(kernel):
    kernel.workspace.attributes.add("device", "string", identifier="secondary")


def file(*rows):
    """Rows as dictionaries; what is not said is empty."""
    return "\t".join(ALL) + "\n" + "".join("\t".join(row.get(name, "") for name in ALL) + "\n" for row in rows)


@pytest.fixture
def both(kernel):
    """Previews and loads a file: they say the same about identity, which is returned with the receipt."""

    def run(*rows, **options):
        data = file(*rows)
        previewed = kernel.preview(data, COLUMNS, **options)
        loaded = kernel.load(data, COLUMNS, **options)
        assert previewed.identity == loaded.identity
        assert (previewed.merged, previewed.conflicts, previewed.came_apart) == (
            loaded.merged, loaded.conflicts, loaded.came_apart
        )  # fmt: skip
        assert loaded == kernel.workspace.history.get(loaded.request_id)
        assert loaded.identity.profiles - loaded.identity.groups == loaded.merged
        counted = [one.contested + one.foreign for one in loaded.identity.met]
        assert sum(counted) == loaded.conflicts
        assert sum(one.newly_shared for one in loaded.identity.met) == loaded.shared
        return loaded, loaded.identity

    return run


def met(identity, name):
    return next((one for one in identity.met if one.attribute == name), MetIdentifiers(attribute=name))


def profile(kernel, by, value):
    return kernel.workspace.profiles.show(by, value)["profile_id"]


def test_a_file_that_joins_nobody_says_so(both):
    _, identity = both({"crmid": "K1", "email": "a@example.in"}, {"crmid": "K2", "email": "b@example.in"})
    assert (identity.groups, identity.profiles, identity.largest, identity.met, identity.blocked) == (0, 0, (), (), ())
    assert identity.most_lines == Cluster(profile_id="1-2", count=1)
    assert identity.most_identifiers == Cluster(profile_id="1-2", count=2)


def test_two_people_merge_by_an_email_and_a_phone_of_one_row(both, kernel):
    both({"email": "asha@example.in", "city": "Pune"}, {"phone": "+919876543210", "city": "Goa"})
    first, second = profile(kernel, "email", "asha@example.in"), profile(kernel, "phone", "+919876543210")
    assert first != second
    receipt, identity = both(
        {"city": "Agra", "device": "dev-1"}, {"email": "asha@example.in", "phone": "+919876543210"}
    )
    assert (receipt.merged, identity.groups, identity.profiles) == (1, 1, 2)
    (group,) = identity.largest
    assert group.size == 2
    assert [(one.profile_id, one.attribute, one.line, one.value) for one in group.profiles] == [
        (first, "email", 3, "a•••@example.in"),
        (second, "phone", 3, "+91 •••••• 3210"),
    ]
    assert identity.most_identifiers == Cluster(profile_id=first, count=2)


def test_somebody_known_by_email_joins_a_customer_as_soon_as_a_row_states_both(both, kernel):
    both({"email": "asha@example.in"}, {"crmid": "K1"})
    _, identity = both({"crmid": "K1", "email": "asha@example.in"})
    (group,) = identity.largest
    assert [(one.attribute, one.value) for one in group.profiles] == [("email", "a•••@example.in"), ("crmid", "K1")]


def test_a_profile_that_no_line_names_is_in_the_group_all_the_same(both):
    """Rows follow an e-mail that changes hands, and somebody between two customers now stands beside one only."""
    both({"crmid": "K1", "email": "a@example.in"}, {"crmid": "K2", "email": "b@example.in"})
    phone = {"phone": "+919876543210"}
    both({"email": "a@example.in", **phone}, {"email": "b@example.in", **phone}, {"device": "dev-1", **phone})
    receipt, identity = both({"crmid": "K1", "email": "b@example.in"})
    (group,) = identity.largest
    assert (group.size, receipt.merged, receipt.came_apart) == (3, 2, 1)
    assert [one.attribute for one in group.profiles] == ["crmid", "email", None]
    assert (group.profiles[2].line, group.profiles[2].value) == (None, None)


def test_groups_are_listed_by_size_and_only_the_first_ten(both):
    both(*({"device": f"dev-{n}"} for n in range(30)), {"email": "a@example.in"}, {"phone": "+919876543210"})
    joins = [{"crmid": f"K{n}", "device": f"dev-{n}"} for n in range(30)]
    _, nothing = both(*joins)  # each becomes a customer: nobody merges
    assert nothing.groups == 0
    both(*({"email": f"e{n}@example.in"} for n in range(24)))
    pairs = [{"email": f"e{n}@example.in", "phone": f"+9198765431{n // 2:02}"} for n in range(22)]
    last = [{"email": f"e{n}@example.in", "phone": "+919876543110"} for n in (22, 23)]
    _, identity = both(*pairs, *last)
    assert (identity.groups, identity.profiles) == (11, 24)
    assert [group.size for group in identity.largest] == [4, *[2] * 9]


def test_the_person_with_the_most_rows_is_named(both):
    rows = [{"crmid": "K7"}, *({"crmid": "K8", "email": f"e{n}@example.in"} for n in range(5))]
    _, identity = both(*rows)
    assert identity.most_lines == Cluster(profile_id="1-3", count=5)
    assert identity.most_identifiers == Cluster(profile_id="1-3", count=6)


def test_most_identifiers_are_those_of_all_files(both):
    both({"crmid": "K1", "email": "a@example.in", "phone": "+919876543210", "device": "dev-1"}, {"crmid": "K2"})
    _, identity = both({"crmid": "K1", "device": "dev-2"}, {"crmid": "K2", "device": "dev-3"})
    assert identity.most_identifiers == Cluster(profile_id="1-2", count=5)


def test_the_same_file_again_brings_nobody_an_identifier(both):
    both({"crmid": "K1", "email": "a@example.in"})
    _, identity = both({"crmid": "K1", "email": "a@example.in", "city": "Goa"})
    assert identity.most_identifiers is None
    assert identity.met == ()


def test_placeholders_are_counted_by_attribute_and_reason_and_join_nobody(both):
    receipt, identity = both(
        {"crmid": "K1", "email": "none@none.com", "phone": "0000000000"},
        {"crmid": "K2", "email": "none@none.com", "device": "ab"},
        {"email": "none@none.com"},
    )
    assert receipt.rejected == 1
    assert identity.blocked == (
        BlockedCells(attribute="email", reason="an address such as none@… or test@…", cells=3),
        BlockedCells(attribute="device", reason="fewer than 4 characters", cells=1),
        BlockedCells(attribute="phone", reason="only zeros or dashes", cells=1),
    )
    assert receipt.notices[0].startswith("5 identifier cells")


def test_contested_values_are_conflicts_of_their_attribute(both):
    receipt, identity = both(
        {"crmid": "K1", "email": "home@example.in", "phone": "+919876543210"},
        {"crmid": "K2", "email": "home@example.in", "phone": "+919876543211"},
    )
    assert receipt.conflicts == 1
    assert met(identity, "email") == MetIdentifiers(attribute="email", contested=1)
    assert met(identity, "phone") == MetIdentifiers(attribute="phone")


def test_a_row_without_customer_id_whose_phone_is_somebody_elses_is_a_conflict(both):
    both({"crmid": "K1", "email": "a@example.in"}, {"crmid": "K2", "phone": "+919876543210"})
    receipt, identity = both({"email": "a@example.in", "phone": "+919876543210"})
    assert (receipt.conflicts, receipt.merged) == (1, 0)
    assert met(identity, "phone") == MetIdentifiers(attribute="phone", foreign=1)


def test_a_value_that_changes_hands_is_told_and_is_no_conflict(both):
    both({"crmid": "K1", "phone": "+919876543210"})
    receipt, identity = both({"crmid": "K2", "phone": "+919876543210"})
    assert receipt.conflicts == 0
    assert met(identity, "phone") == MetIdentifiers(attribute="phone", moved=1)


def test_a_value_over_the_limit_is_shared_and_whom_it_had_joined_come_apart(both, kernel):
    both({"phone": "+919876543210", "email": "a@example.in"}, {"phone": "+919876543210", "email": "b@example.in"})
    assert profile(kernel, "email", "a@example.in") == profile(kernel, "email", "b@example.in")
    crowd = [{"crmid": f"K{n}", "phone": "+919876543210"} for n in range(21)]
    receipt, identity = both(*crowd)
    assert (receipt.shared, receipt.came_apart) == (1, 1)
    assert met(identity, "phone") == MetIdentifiers(attribute="phone", contested=1, shared=1, newly_shared=1)
    assert (identity.shared_limit, identity.shared_rows, identity.shared_came_apart) == (20, 21, 1)
    again, later = both({"crmid": "K99", "phone": "+919876543210"})
    assert (again.shared, later.shared_rows, later.shared_came_apart) == (0, 1, 0)
    assert met(later, "phone") == MetIdentifiers(attribute="phone", shared=1)


def test_people_who_come_apart_for_another_reason_are_not_put_down_to_sharing(both):
    both({"email": "a@example.in", "device": "dev-1"}, {"device": "dev-1", "phone": "+919876543210"})
    receipt, identity = both(
        {"crmid": "K1", "device": "dev-1", "city": "Goa"}, {"crmid": "K2", "email": "a@example.in"}
    )
    assert (receipt.came_apart, receipt.shared, identity.shared_came_apart) == (1, 0, 0)


@pytest.mark.parametrize("name", ["crmid", "device"])
def test_ids_that_differ_only_in_case_are_reported_and_stay_apart(both, name):
    both({name: "User123"}, {name: "other-1"})
    receipt, identity = both({name: "USER123"}, {name: "other-2"}, {name: "12345"})
    assert (receipt.created, receipt.merged) == (3, 0)
    assert met(identity, name).case_only == 1


def test_ids_of_one_file_that_differ_only_in_case_are_reported(both):
    _, identity = both({"crmid": "user9"}, {"crmid": "USER9"}, {"crmid": "Straße"}, {"crmid": "plain"})
    assert met(identity, "crmid").case_only == 2


def test_known_ids_are_not_reported_again(both):
    both({"crmid": "user9"}, {"crmid": "USER9"})
    _, identity = both({"crmid": "user9", "city": "Goa"}, {"crmid": "USER9"})
    assert identity.met == ()


def test_a_file_without_customer_ids_has_its_account_too(both):
    _, identity = both({"email": "a@example.in", "phone": "+919876543210"}, {"phone": "+919876543210"})
    assert identity.most_lines == Cluster(profile_id="1-2", count=2)


def test_values_replaced_leave_an_account_without_merges(both):
    both({"crmid": "K1", "email": "a@example.in"}, {"email": "b@example.in"})
    receipt, identity = both({"crmid": "K1", "email": "none@none.com"}, {"crmid": "K1"}, replace="values")
    assert (receipt.merged, identity.groups, identity.met) == (0, 0, ())
    assert identity.most_lines == Cluster(profile_id="2-2", count=2)
    assert identity.most_identifiers == Cluster(profile_id="2-2", count=1)
    assert [one.cells for one in identity.blocked] == [1]


def test_a_failed_upload_has_no_account(kernel):
    receipt = kernel.load(file({"email": "none@none.com"}), COLUMNS)
    assert (receipt.status, receipt.identity) == ("Failed", None)


def test_values_are_never_kept_with_the_receipt_and_go_with_their_rows(both, kernel):
    both({"email": "asha@example.in"}, {"phone": "+919876543210"})
    receipt, identity = both({"email": "asha@example.in", "phone": "+919876543210"})
    engine = kernel.workspace.engine
    with engine.session() as session:
        kept = session.value("SELECT identity FROM upload WHERE request_id = ?", [receipt.request_id])
        assert "example" not in kept
        assert "3210" not in kept
    (listed, *_) = kernel.workspace.history.list()
    assert [one.value for one in listed.identity.largest[0].profiles] == [None, None]
    with engine.write, engine.session() as session:
        session.run("DELETE FROM vault_value")  # as after erasing both
    (group,) = kernel.workspace.history.get(receipt.request_id).identity.largest
    assert [one.value for one in group.profiles] == [None, None]
    assert identity.largest[0].profiles[0].value == "a•••@example.in"


def test_a_receipt_from_before_has_none(both, kernel):
    receipt, _ = both({"crmid": "K1"})
    with kernel.workspace.engine.write, kernel.workspace.engine.session() as session:
        session.run("UPDATE upload SET identity = NULL")
    assert kernel.workspace.history.get(receipt.request_id).identity is None


def test_steps_show_how_the_account_was_made(both):
    both({"email": "a@example.in"}, {"phone": "+919876543210"})
    receipt, _ = both({"email": "a@example.in", "phone": "+919876543210"})
    names = {step.name for step in receipt.steps}
    assert {"identifiers met", "merges", "largest merges", "most rows of one person"} <= names
