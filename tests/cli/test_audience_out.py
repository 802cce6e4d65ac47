"""Orders, exports and builds on the command line."""

import json


def test_a_segment_is_exported_and_a_build_sends_profiles(onramp, tmp_path):
    onramp.json("source", "add", "Ids", "--kind", "data_source", "--dpid", "21", "--id-type", "cross_device")
    onramp.json("am", "trait", "add", "Gold", "--dpid", "21", "--id", "5")
    assert onramp.json("am", "segment", "add", "Golden", "--rule", "5T")["segment_id"] == 1
    place = tmp_path / "place"
    place.mkdir()
    onramp.json("am", "order", "add", "Partner", "--id", "215", "--master", "21", "--folder", place, "--gzip")
    people = tmp_path / "people.tsv"
    people.write_text("crmid\tcity\nK1\tPune\nK2\tGoa\n")
    onramp.json("ingest", people, "--source", "CRM", "--auto")
    recipe = tmp_path / "gold.json"
    recipe.write_text(json.dumps({"id": {"attribute": "crmid"}, "dpid": 21, "items": [{"trait": 5}], "changed": True}))
    preview = onramp.json("am", "build", "Gold", "--from", recipe, "--dry-run")
    assert (preview["counts"]["rows"], preview["lines"]) == (2, ["K1\td_sid=5", "K2\td_sid=5"])
    built = onramp.json("am", "build", "Gold", "--from", recipe, "--folder", place)
    assert (built["status"], built["counts"]["rows"]) == ("delivered", 2)
    assert onramp.json("am", "build", "Gold")["status"] == "nothing new"
    file = place / built["files"][0]["name"]
    assert onramp.json("am", "ingest", file)["receipts"][0]["stored_records"] == 2
    run = onramp.json("am", "export", "215")
    assert run["counts"] == {"rows": 2, "added": 2, "removed": 0}
    told = json.loads((place / run["control"]).read_text())
    assert told["Totals"]["TotalNumberLines"] == 2
    assert onramp.json("am", "export", "Partner", "--dry-run")["counts"]["rows"] == 0
    assert [one["kind"] for one in onramp.json("am", "runs")] == ["export", "build", "build"]
    assert onramp.refuse("am", "give-up", run["run_id"], exit_code=3)["code"] == "not_prepared"


def test_a_place_that_is_not_there_is_a_delivery_error(onramp, tmp_path):
    onramp.json("source", "add", "Ids", "--kind", "data_source", "--dpid", "21", "--id-type", "cross_device")
    onramp.json("am", "trait", "add", "Gold", "--dpid", "21", "--id", "5")
    onramp.json(
        "am", "order", "add", "P", "--id", "1", "--master", "21", "--what", "traits", "--folder", tmp_path / "no"
    )
    file = tmp_path / "ftp_dpm_21_1700000000.sync"
    file.write_text("u\td_sid=5\n")
    onramp.json("am", "ingest", file)
    assert onramp.run("--json", "am", "export", "1").code == 4
    (run,) = onramp.json("am", "runs")
    assert run["status"] == "prepared"
    assert onramp.json("am", "give-up", run["run_id"])["status"] == "given up"
    assert onramp.refuse("am", "export", "1", exit_code=3)["code"] == "needs_full"


def test_an_order_that_makes_no_sense_is_refused(onramp, tmp_path):
    order = ("am", "order", "add", "P", "--id", "1", "--master", "21", "--folder", tmp_path)
    assert onramp.refuse(*order, "--split", "1")["code"] == "bad_order"
    assert onramp.refuse(*order, "--template", "<WHAT>")["code"] == "bad_template"
    assert onramp.refuse("am", "export", "9")["code"] == "no_such_order"
    assert [one["environment"] for one in onramp.json("am", "presets")] == ["production", "beta"]


def test_a_build_that_did_not_arrive_is_sent_again_or_given_up(onramp, tmp_path):
    onramp.json("source", "add", "Ids", "--kind", "data_source", "--dpid", "21", "--id-type", "cross_device")
    onramp.json("am", "trait", "add", "Gold", "--dpid", "21", "--id", "5")
    people = tmp_path / "people.tsv"
    people.write_text("crmid\tcity\nK1\tPune\na:b\tGoa\n")
    onramp.json("ingest", people, "--source", "CRM", "--auto")
    recipe = tmp_path / "gold.json"
    recipe.write_text(json.dumps({"id": {"attribute": "crmid"}, "dpid": 21, "items": [{"trait": 5}]}))
    place = tmp_path / "place"
    assert onramp.run("--json", "am", "build", "Gold", "--from", recipe, "--folder", place).code == 4
    (run,) = onramp.json("am", "runs")
    place.mkdir()
    sent = onramp.json("am", "send-again", run["run_id"])
    assert (sent["status"], [file["name"] for file in sent["files"]]) == (
        "delivered",
        [path.name for path in place.iterdir()],
    )
    assert onramp.json("am", "send-again", run["run_id"]) == sent
    place.rename(tmp_path / "moved")
    assert onramp.run("am", "build", "Gold").code == 4
    told = onramp.run("am", "give-up", onramp.json("am", "runs")[0]["run_id"])
    assert (told.code, "given up" in told.out) == (0, True)


def asked(onramp, *command):
    """The answer to a run that waits from then on: unlike a refusal it leaves something behind."""
    done = onramp.run("--json", *command)
    assert done.code == 3
    return done.json["error"]


def test_a_large_build_waits_for_somebody_else(onramp, tmp_path, monkeypatch):
    monkeypatch.setenv("ONRAMP_USER", "Asha Menon")
    onramp.json("source", "add", "Ids", "--kind", "data_source", "--dpid", "21", "--id-type", "cross_device")
    onramp.json("am", "trait", "add", "Gold", "--dpid", "21", "--id", "5")
    people = tmp_path / "people.tsv"
    people.write_text("crmid\tcity\nK1\tPune\nK2\tGoa\n")
    onramp.json("ingest", people, "--source", "CRM", "--auto")
    definition = {"id": {"attribute": "crmid"}, "dpid": 21, "items": [{"trait": 5}], "look_above_rows": 1}
    recipe = tmp_path / "gold.json"
    recipe.write_text(json.dumps(definition))
    place = tmp_path / "place"
    place.mkdir()
    build = ("am", "build", "Gold", "--from", recipe, "--folder", place)
    fingerprint = onramp.json(*build, "--dry-run")["fingerprint"]
    refused = asked(onramp, *build)
    run = refused["facts"]["run"]
    assert refused["code"] == "needs_second_look"
    (waiting,) = onramp.json("am", "approvals")
    assert (waiting["run_id"], waiting["fingerprint"], waiting["requested_by"]) == (run, fingerprint, "Asha Menon")
    assert "Asha Menon" in onramp.run("am", "approvals").out
    monkeypatch.setenv("ONRAMP_USER", "Bina Rao")
    onramp.json("am", "decline", run, "--note", "Too many")
    run = asked(onramp, *build)["facts"]["run"]
    assert onramp.refuse("am", "approve", run, exit_code=3)["code"] == "same_person"
    monkeypatch.setenv("ONRAMP_USER", "Asha Menon")
    assert onramp.json("am", "approve", run, "--fingerprint", fingerprint)["status"] == "delivered"
    assert asked(onramp, "am", "build", "Gold", "--confirm", "1")["code"] == "needs_second_look"
    monkeypatch.setenv("ONRAMP_USER", "Bina Rao")
    assert onramp.json("am", "build", "Gold", "--confirm", "2", "--note", "Counted")["status"] == "delivered"
    assert [one["answer"] for one in onramp.json("am", "approvals", "--all")] == ["approved", "approved", "declined"]


def prepared(onramp, tmp_path):
    """An order whose place is not there yet, with one prepared run; returns the place."""
    onramp.json("source", "add", "Ids", "--kind", "data_source", "--dpid", "21", "--id-type", "cross_device")
    onramp.json("am", "trait", "add", "Gold", "--dpid", "21", "--id", "5")
    onramp.json("am", "segment", "add", "Golden", "--rule", "5T", "--id", "9")
    onramp.json("am", "order", "add", "P", "--id", "1", "--master", "21", "--item", "9", "--folder", tmp_path / "no")
    file = tmp_path / "ftp_dpm_21_1700000000.sync"
    file.write_text("u\td_sid=5\nv\td_sid=5\n")
    onramp.json("am", "ingest", file)
    assert onramp.run("--json", "am", "export", "1").code == 4
    return tmp_path / "no"


def test_segments_are_counted_tried_changed_and_removed_with_those_who_hear_of_it(onramp, tmp_path):
    prepared(onramp, tmp_path)
    (counted,) = onramp.json("am", "segment", "count")
    assert (counted["name"], counted["profiles"]) == ("Golden", 2)
    assert onramp.json("am", "segment", "count", "9")["sources"] == {"21": 2}
    assert onramp.json("am", "segment", "count", "9", "--at", "2020-01-01")["profiles"] == 0
    tried = onramp.json("am", "segment", "try", "5t and not 6T")
    assert (tried["rule"], tried["profiles"], tried["unknown"]) == ("5T AND NOT 6T", 2, [6])
    changed = onramp.json("am", "segment", "change", "9", "--rule", "5T AND 6T")
    assert (changed["name"], changed["rule"]) == ("Golden", "5T AND 6T")
    assert onramp.json("am", "segment", "count", "9")["profiles"] == 0
    assert onramp.json("am", "segment", "remove", "9")["orders"] == [{"order_id": 1, "name": "P", "told": 0}]
    assert onramp.refuse("am", "segment", "count", "9")["code"] == "no_such_segment"


def test_an_order_is_changed_where_something_is_given(onramp, tmp_path):
    prepared(onramp, tmp_path)
    before = onramp.json("am", "order", "list")[0]
    changed = onramp.json(
        "am", "order", "change", "P", "--gzip", "--item", "none", "--keep-days", "none", "--label", "ads"
    )
    assert changed == before | {"gzip": True, "items": [], "keep_days": None, "labels": ["ads"]}
    again = onramp.json("am", "order", "change", "1", "--no-gzip", "--name", "Q", "--label", "none", "--dpid", "33")
    assert (again["gzip"], again["name"], again["labels"], again["dpid"]) == (False, "Q", [], 33)
    assert onramp.refuse("am", "order", "change", "1", "--split", "1")["code"] == "bad_order"
    assert onramp.json("am", "order", "list") == [again]


def test_a_build_is_checked_without_being_kept(onramp, tmp_path):
    onramp.json("source", "add", "Ids", "--kind", "data_source", "--dpid", "21", "--id-type", "cross_device")
    onramp.json("am", "trait", "add", "Gold", "--dpid", "21", "--id", "5")
    people = tmp_path / "people.tsv"
    people.write_text("crmid\tcity\nK1\tPune\nK2\tGoa\n")
    onramp.json("ingest", people, "--source", "CRM", "--auto")
    recipe = tmp_path / "gold.json"
    recipe.write_text(json.dumps({"id": {"attribute": "crmid"}, "dpid": 21, "items": [{"trait": 5}, {"trait": 6}]}))
    found = onramp.json("am", "build", "Gold", "--from", recipe, "--check")
    assert found["can_be_built"]
    assert [(one["field"], one["code"]) for one in found["problems"]] == [
        ("items.1", "traits_unknown"), ("place", "no_place"),
    ]  # fmt: skip
    assert found["preflight"]["receipt"]["receipts"][0]["stored_records"] == 2
    recipe.write_text(json.dumps({"id": {"attribute": "phone"}, "dpid": 77, "items": []}))
    found = onramp.json("am", "build", "Gold", "--from", recipe, "--check")
    assert (found["can_be_built"], found["preflight"]) == (False, None)
    assert [one["field"] for one in found["problems"] if one["is_error"]] == ["items", "id", "dpid"]
    assert "Cannot be built like this." in onramp.run("am", "build", "Gold", "--from", recipe, "--check").out
    assert (onramp.json("am", "builds"), onramp.json("am", "runs")) == ([], [])
