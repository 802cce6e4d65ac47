"""``profile erase`` and the list for a restore."""


def test_a_person_is_erased_and_the_next_file_does_not_bring_them_back(onramp, tmp_path):
    file = tmp_path / "people.tsv"
    file.write_text("crmid\temail\nK1\tpriya@example.in\nK2\tbina@example.in\n")
    onramp.json("ingest", file, "--source", "CRM", "--auto")
    said = onramp.json("profile", "erase", "--by", "crmid=K1", "--dry-run")
    assert onramp.json("profile", "count")["profiles"] == 2
    done = onramp.json("profile", "erase", "--by", "crmid=K1", "--reason", "request 4711")
    assert {**done, "steps": 0} == {**said, "steps": 0}
    assert (done["rows"], done["values"], done["suppressed"]) == (1, 1, 2)
    again = onramp.json("ingest", file, "--source", "CRM", "--auto", "--again")
    assert (again["suppressed"], again["stored"]) == (1, 1)
    assert len(onramp.json("profile", "erased")["erased"]) == 2
    assert onramp.refuse("profile", "erase", "--by", "crmid=K1")["code"] == "no_such_profile"
