"""The keyset: made once, private, never replaced, never shown."""

from __future__ import annotations

import base64
import json
import traceback

import pytest

from ingest_core.errors import ConfigError
from ingest_core.vault import load_keyset
from ingest_core.vault.keys import Keyset, derive, make_check, new_keyset, parse_keyset, verify_check
from ingest_core.workspace import Workspace


def refused(code, call, *args, **kwargs):
    with pytest.raises(ConfigError) as caught:
        call(*args, **kwargs)
    assert caught.value.code == code
    return caught.value


def test_the_key_file_is_made_once_and_private(tmp_path):
    made = load_keyset(tmp_path, may_create=True)
    assert (tmp_path / "keys.json").stat().st_mode & 0o777 == 0o600
    assert load_keyset(tmp_path, may_create=True) == made
    assert [path.name for path in tmp_path.iterdir()] == ["keys.json"]


def test_a_draft_of_a_killed_process_does_not_become_the_key_file(tmp_path):
    (tmp_path / "keys.new").write_text('{"primary": 1')
    made = load_keyset(tmp_path, may_create=True)
    assert parse_keyset((tmp_path / "keys.json").read_text()) == made


def test_a_lost_key_file_is_never_replaced(home):
    (home / "keys.json").unlink()
    refused("keys_missing", Workspace.open, home)
    assert not (home / "keys.json").exists()


def test_other_keys_are_refused_and_change_nothing(home):
    right = (home / "keys.json").read_text()
    (home / "keys.json").write_text(new_keyset().dump())
    before = (home / "onramp.duckdb").read_bytes()
    refused("wrong_keys", Workspace.open, home)
    assert (home / "onramp.duckdb").read_bytes() == before
    (home / "keys.json").write_text(right)
    Workspace.open(home).close()


@pytest.mark.parametrize("part", ["pages", "tokens", "suppression"])
def test_every_root_is_checked(part):
    keyset, other = new_keyset(), new_keyset()
    check = make_check(keyset)
    verify_check(keyset, check)
    parts = {"primary": 1, "pages": keyset.pages, "tokens": keyset.tokens, "suppression": keyset.suppression}
    refused("wrong_keys", verify_check, Keyset(**{**parts, part: getattr(other, part)}), check)


def test_a_missing_key_version_is_refused():
    keyset = new_keyset()
    two = Keyset(2, {**keyset.pages, 2: b"k" * 32}, keyset.tokens, keyset.suppression)
    refused("wrong_keys", verify_check, keyset, make_check(two))
    verify_check(two, make_check(keyset))
    assert refused("key_missing", keyset.page_key, 2).facts == {"key_version": 2}


def test_the_environment_goes_before_the_file(home, monkeypatch):
    keys = (home / "keys.json").read_text()
    (home / "keys.json").unlink()
    monkeypatch.setenv("ONRAMP_KEYS", keys)
    Workspace.open(home).close()
    assert not (home / "keys.json").exists()
    monkeypatch.setenv("ONRAMP_KEYS", new_keyset().dump())
    refused("wrong_keys", Workspace.open, home)


def broken(**changes):
    data = json.loads(new_keyset().dump())
    data.update(changes)
    return json.dumps({key: value for key, value in data.items() if value is not None})


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "null", '"keys"', "{}", broken(primary=2), broken(primary="x"), broken(tokens=None),
        broken(tokens="!!!"), broken(tokens=base64.b64encode(b"short").decode()), broken(pages={}), broken(pages=[]),
        broken(pages={"1": 5}), broken(suppression=None),
    ],
)  # fmt: skip
def test_keys_that_cannot_be_read_are_refused_without_showing_them(text):
    error = refused("bad_keys", parse_keyset, text)
    assert error.hint


def test_no_key_is_shown():
    keyset = new_keyset()
    secrets = [*keyset.pages.values(), keyset.tokens, keyset.suppression]
    shown = f"{keyset!r} {keyset} {keyset!s} {[keyset]}"
    text = broken(primary=9)
    error = refused("bad_keys", parse_keyset, text)
    shown += "".join(traceback.format_exception(error)) + str(error.as_dict())
    assert "Keyset(primary=1, versions=[1])" in shown
    for secret in secrets:
        assert repr(secret)[2:-1] not in shown
        assert base64.b64encode(secret).decode() not in shown
        assert secret.hex() not in shown
    assert json.loads(text)["tokens"] not in shown


def test_a_dumped_keyset_is_read_back_equal():
    keyset = Keyset(2, {1: b"a" * 32, 2: b"b" * 32}, b"c" * 32, b"d" * 32)
    assert parse_keyset(keyset.dump()) == keyset


def test_working_keys_differ_by_purpose_attribute_and_version():
    keyset = Keyset(2, {1: b"a" * 32, 2: b"a" * 32}, b"a" * 32, b"a" * 32)
    keys = [keyset.page_key(1).hex(), keyset.file_key("x").hex(), keyset.file_key("y").hex()]
    keys += [keyset.token_key(n) for n in (1, 2, 11)] + [keyset.suppression_key(n) for n in (1, 2, 11)]
    assert len(set(keys)) == len(keys)
    assert {len(key) for key in keys} == {64}
    assert derive(b"a" * 32, b"page") == keyset.page_key(1)
