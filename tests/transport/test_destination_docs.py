"""Every example of docs/destinations.md, run against real servers on loopback."""

from __future__ import annotations

import re
import shlex

import pysequoia
import pytest

from tests.cli.onramp import Onramp
from tests.servers.ftp import PASSWORD, USER


@pytest.fixture
def onramp(tmp_path, monkeypatch) -> Onramp:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAKE_SECRET", "test")
    monkeypatch.setenv("AGENCY_PASSWORD", PASSWORD)
    monkeypatch.setenv("PGP_PASSPHRASE", "none needed")
    return Onramp(tmp_path / "home")


@pytest.fixture(scope="module")
def sections(repository) -> dict[str, list[str]]:
    """Title → its commands, in order."""
    text = (repository / "docs" / "destinations.md").read_text(encoding="utf-8")
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    found = {}
    for title, body in zip(parts[1::2], parts[2::2], strict=True):
        blocks = re.findall(r"^```(\w*)\n(.*?)^```$", body, flags=re.DOTALL | re.MULTILINE)
        found[title] = [line for kind, block in blocks if not kind for line in block.splitlines()]
    return found


def run(onramp: Onramp, commands: list[str], names: dict[str, str]) -> list[int]:
    """Exit codes of the commands, with what stands for somebody's server replaced by ours."""
    codes = []
    for command in commands:
        line = command
        for name, ours in names.items():
            line = line.replace(name, ours)
        program, *arguments = shlex.split(line)
        assert program == "onramp"
        codes.append(onramp.run(*arguments).code)
    return codes


def test_no_example_is_left_out(sections):
    assert [title for title, commands in sections.items() if commands] == [
        "A folder", "S3", "Audience Manager", "SFTP", "FTPS", "FTP", "OpenPGP",
    ]  # fmt: skip


def test_a_folder(onramp, sections, tmp_path):
    (tmp_path / "exchange").mkdir()
    assert run(onramp, sections["A folder"], {"/srv/exchange": str(tmp_path / "exchange")}) == [0, 0]


def test_s3(onramp, sections, s3_server):
    names = {
        "--prefix onramp": f"--prefix onramp --endpoint {s3_server.endpoint} --plain",
        "--endpoint https://s3.example.com": f"--endpoint {s3_server.endpoint} --plain",
    }
    assert run(onramp, sections["S3"], names) == [0, 0, 0, 0]


def test_audience_manager(onramp, sections, tmp_path):
    """Made, never asked whether it works: nobody connects to Audience Manager from here."""
    (tmp_path / "id_ed25519").write_text("a key")
    assert run(onramp, sections["Audience Manager"], {}) == [0, 0]


def test_sftp(onramp, sections, ssh_server, tmp_path):
    (tmp_path / "id_ed25519").write_text(ssh_server.key)
    (ssh_server.folder / "in").mkdir()
    [shown] = {key for line in sections["SFTP"] for key in re.findall(r"ssh-ed25519 SHA256:\S{43}", line)}
    names = {
        "--host sftp.example.com": f"--host 127.0.0.1 --port {ssh_server.port}",
        "--user onramp --folder in": f"--user {ssh_server.user} --folder {ssh_server.folder}/in",
        shown: ssh_server.host_key,
    }
    assert run(onramp, sections["SFTP"], names) == [0, 1, 0, 0]


@pytest.mark.parametrize("title", ["FTPS", "FTP"])
def test_ftp(onramp, sections, request, tmp_path, title):
    server = request.getfixturevalue(f"{title.lower()}_server")
    if server.certificate:
        (tmp_path / "agency.pem").write_text(server.certificate.pem)
    names = {"--host ftp.example.com": f"--host 127.0.0.1 --port {server.port}", "--user onramp": f"--user {USER}"}
    assert run(onramp, sections[title], names) == [0, 0]


def test_openpgp(onramp, sections, tmp_path):
    key = pysequoia.Tsk.generate(user_id="Onramp <onramp@example.com>", profile=pysequoia.Profile.RFC4880)
    (tmp_path / "partner.asc").write_text(str(key.extract_certificate()))
    (tmp_path / "private.asc").write_text(str(key))
    assert run(onramp, sections["OpenPGP"], {}) == [0, 0, 0, 0]
