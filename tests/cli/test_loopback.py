"""Commands while the app holds the workspace: as if they ran alone, for whoever owns the folder and nobody else."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ingest_core.cli import address, caller, client, server
from ingest_core.cli.main import build_parser
from ingest_core.cli.server import Api
from ingest_core.engine.steps import Step
from ingest_core.errors import StateError
from ingest_core.plan import load
from ingest_core.workspace import Workspace
from tests.cli.onramp import Onramp

ROOT = Path(__file__).parents[2]
ENDLESS = "SELECT count(*) FROM range(1_000_000_000) AS a, range(1_000_000_000) AS b WHERE (a.range * b.range) % 7 = 3"

SCRIPT = (
    ["source", "add", "Loyalty", "--phone-country", "IN"],
    ["source", "add", "Loyalty"],
    ["source", "list"],
    ["attribute", "list"],
    ["inspect", "people.tsv"],
    ["inspect", "nothing.tsv"],
    ["read", "people.tsv", "--out", "read.csv"],
    ["mapping", "suggest", "people.tsv", "--source", "CRM"],
    ["mapping", "set", "--source", "CRM", "mapping.json"],
    ["mapping", "show", "--source", "CRM"],
    ["ingest", "people.tsv", "--source", "CRM", "--dry-run"],
    ["ingest", "people.tsv", "--source", "CRM", "--segment", "create:FIRST"],
    ["ingest", "people.tsv", "--source", "CRM"],
    ["ingest", "broken.tsv", "--source", "CRM"],
    ["ingest", "later.tsv", "--source", "Shop", "--auto", "--at", "2099-01-01T06:00"],
    ["queue", "list"],
    ["history", "--limit", "2"],
    ["rejects", "UPLOAD"],
    ["rejects", "UPLOAD", "--out", "rejects.tsv"],
    ["upload", "show", "UPLOAD"],
    ["upload", "stop", "UPLOAD"],
    ["upload", "changes", "UPLOAD"],
    ["profile", "count"],
    ["profile", "show", "--by", "crmid=C1", "--reveal"],
    ["profile", "find", "anna@example.com"],
    ["segment", "list"],
    ["segment", "members", "FIRST", "--to", "members.csv"],
    ["segment", "count", "NOBODY"],
    ["explore", "people.tsv", "--sql", "SELECT count(*) AS n FROM typed"],
    ["explore", "--profiles", "--sql", "SELECT city FROM profiles ORDER BY city", "--export", "book.zip"],
    ["undo", "UPLOAD", "--dry-run"],
    ["undo", "UPLOAD"],
    ["redo", "UPLOAD"],
    ["rebuild"],
    ["digest"],
    ["settings", "set", "reject_keep_days", "30"],
    ["settings", "list"],
    ["blocked", "test", "none@none.com"],
    ["mail", "test", "nobody"],
    ["keys", "check"],
    ["audit", "verify"],
    ["backup", "../saved.onramp"],
    ["backup", "../saved.onramp"],
    ["am", "check", "people.tsv"],
    ["inbox", "list"],
    ["maintain"],
    ["nonsense"],
)  # fmt: skip
"""Most of the contract, with files named as seen from where the command is given."""

CHANGING = (
    (r"\d{8}-[A-Z2-7]{8}", "ID"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)?", "TIME"),
    (r'("?(?:seconds|bytes|bytes_before|bytes_after|digest|size)"?: )"?[\w.]+"?', r"\1N"),
    (r"\b(seconds|bytes|bytes before|bytes after|digest): [\w.,]+", r"\1: N"),
    (r"/\S+/(alone|beside)\b", "FOLDER"),
    (r"\b[0-9a-f]{16,}\b", "HASH"),
)  # fmt: skip


def same(text):
    for pattern, word in CHANGING:
        text = re.sub(pattern, word, text)
    return text


@pytest.fixture
def serving():
    """serving(home) → an API on the open workspace, as the app has it."""
    opened = []

    def start(home):
        workspace = Workspace.open(home, user="app user", worker="app")
        api = Api(workspace, build_parser).start()
        opened.append((workspace, api))
        return api

    yield start
    for workspace, api in opened:
        api.close()
        workspace.close()


@pytest.fixture
def api(onramp, serving):
    return serving(onramp.home)


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
def test_a_command_answers_the_same_whoever_holds_the_workspace(
    prepared_home, people, tmp_path, serving, monkeypatch, options
):
    monkeypatch.setenv("ONRAMP_USER", "Chitra")
    answers = {}
    for way in ("alone", "beside"):
        folder = tmp_path / way / "files"
        shutil.copytree(prepared_home, tmp_path / way / "home")
        folder.mkdir()
        shutil.copy(people, folder / "people.tsv")
        (folder / "later.tsv").write_text("crmid\temail\nS1\tsam@example.com\n")
        (folder / "broken.tsv").write_text("crmid\temail\n\n")
        (folder / "mapping.json").write_text(
            json.dumps({"columns": [{"column": name, "attribute": name} for name in ("crmid", "email", "first_name")]
                        + [{"column": "city", "attribute": "city"}]})
        )  # fmt: skip
        monkeypatch.chdir(folder)
        onramp = Onramp(tmp_path / way / "home")
        if way == "beside":
            serving(onramp.home)
        upload, answers[way] = "UPLOAD", []
        for command in SCRIPT:
            done = onramp.run(*options, *[upload if word == "UPLOAD" else word for word in command])
            if (found := re.search(r"\d{8}-[A-Z2-7]{8}", done.out)) and command[0] == "ingest" and upload == "UPLOAD":
                upload = found[0]
            answers[way].append((" ".join(command), done.code, same(done.out), same(done.err)))
        answers[way] += [(path.name, path.stat().st_mode) for path in sorted(folder.rglob("*"))]
    assert len(answers["alone"]) == len(answers["beside"])
    for alone, beside in zip(answers["alone"], answers["beside"], strict=True):
        assert beside == alone


def test_what_is_done_is_written_down_under_the_name_of_who_asked(onramp, api, people, monkeypatch):
    monkeypatch.setenv("ONRAMP_USER", "Chitra")
    receipt = onramp.load(people, "--auto")
    assert receipt["uploaded_by"] == "Chitra"
    onramp.json("settings", "set", "reject_keep_days", "30")
    with api._workspace.engine.session() as session:
        actors = dict(session.rows("SELECT action, actor FROM audit WHERE action IN ('change setting', 'ingest')"))
        assert session.rows("SELECT worker FROM upload") == [("command",)]
    assert actors.pop("change setting") == "Chitra"
    assert set(actors.values()) <= {"Chitra"}
    assert api._workspace.user == "app user"


def test_standard_input_of_the_caller_is_read_where_it_is_asked_for(onramp, api, monkeypatch):
    import io

    monkeypatch.setattr(sys, "stdin", io.StringIO("none@none.com\n"))
    assert onramp.json("blocked", "test", "-")["outcome"] == "blocked"


def test_secrets_come_from_the_environment_of_the_caller_and_nothing_else_of_it(onramp, api, monkeypatch):
    monkeypatch.setenv("SFTP_PASSWORD", "s3cret")
    monkeypatch.setenv("OTHER", "private")
    made = onramp.json(
        "destination", "add", "PARTNER", "--kind", "sftp", "--host", "sftp.example.com", "--user", "onramp", "--secret",
        "password=env:SFTP_PASSWORD",
    )  # fmt: skip
    assert made["secrets"] == ["password"]
    needed = caller.sent_along(["--secret", "password=env:SFTP_PASSWORD", "env:MISSING", "--sql", "SELECT 1"])
    assert needed == (False, {"SFTP_PASSWORD": "s3cret"})
    assert caller.sent_along(["--secret", "password=-"])[0]


def test_several_clients_at_once_each_get_their_own_answer(onramp, api, tmp_path):
    with api._workspace.engine.session() as session:
        pid = int((onramp.home / "lock").read_text().split()[0])
        assert session.value("SELECT 1") == 1
    locked = StateError("held", code="workspace_locked", facts={"pid": pid, "holder": "app"})

    def one(number):
        file = tmp_path / f"{number}.tsv"
        file.write_text(f"crmid\temail\nN{number}\tn{number}@example.com\n")
        name = f"Source {number}"
        client.ask(onramp.home, ["source", "add", name], locked)
        return client.ask(onramp.home, ["--json", "ingest", str(file), "--source", name, "--auto"], locked)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(one, range(8)))
    assert [found.exit_code for found in answers] == [0] * 8
    assert [json.loads(found.out)["source"] for found in answers] == [f"Source {number}" for number in range(8)]
    assert onramp.json("profile", "count")["count"] == 8


class TestStopping:
    @pytest.fixture
    def stopped(self, onramp, api, people, monkeypatch):
        """stopped(number) → the ingest that got this signal in the middle of a statement that would never end."""
        monkeypatch.setattr(load, "_APPEND", Step("log", "Never ends.", ENDLESS))

        def stopping(number):
            process = subprocess.Popen(
                [sys.executable, "-m", "ingest_core", "--home", onramp.home, "--json", "ingest", people, "--source",
                 "CRM", "--auto"],
                cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
            self.until(lambda: any(w.progress().phase == "log" for w in api._workspace.loads.at_work.values()))
            process.send_signal(number)
            out, err = process.communicate(timeout=60)
            return process.returncode, out, err

        return stopping

    @staticmethod
    def until(condition):
        tick = threading.Event()
        for _ in range(3000):
            if condition():
                return
            tick.wait(0.02)
        raise AssertionError("it never happened")

    @pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
    def test_ctrl_c_stops_the_work_there_and_nothing_is_kept(self, onramp, api, stopped, number, code):
        returned, out, err = stopped(number)
        assert returned == code
        assert json.loads(out)["error"]["code"] == "stopped"
        assert err.splitlines() == [json.loads(out)["error"]["message"], json.loads(out)["error"]["hint"]]
        assert not api._server._work
        (upload,) = onramp.json("history")
        assert (upload["status"], upload["badges"]) == ("Failed", ["Cancelled"])
        assert api._workspace.engine.write.acquire(timeout=5), "the writers' lock was given back"
        api._workspace.engine.write.release()

    def test_a_client_that_was_killed_stops_its_work_too(self, onramp, api, stopped):
        assert stopped(signal.SIGKILL)[0] == -signal.SIGKILL
        self.until(lambda: not api._server._work)
        (upload,) = onramp.json("history")
        assert (upload["status"], upload["badges"]) == ("Failed", ["Cancelled"])

    def test_another_command_sees_how_far_it_is_and_stops_it(self, onramp, api, people, monkeypatch):
        monkeypatch.setattr(load, "_APPEND", Step("log", "Never ends.", ENDLESS))
        process = subprocess.Popen(
            [sys.executable, "-m", "ingest_core", "--home", onramp.home, "--json", "ingest", people, "--source", "CRM",
             "--auto"],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        at_work = api._workspace.loads.at_work
        self.until(lambda: any(one.progress().phase == "log" for one in at_work.values()))
        (one,) = onramp.json("queue", "list")["uploads"]
        assert (one["state"], one["progress"]["phase"], one["progress"]["counts"]["lines"]) == ("running", "log", 6)
        assert onramp.json("upload", "show", one["request_id"])["progress"]["phase"] == "log"
        assert "log" in onramp.run("upload", "show", one["request_id"]).out
        done = onramp.run("--json", "upload", "stop", one["request_id"])
        assert (done.code, done.json["status"], done.json["badges"]) == (1, "Failed", ["Cancelled"])
        out, _ = process.communicate(timeout=60)
        assert (process.returncode, json.loads(out)["error"]["code"]) == (130, "stopped")

    def test_closing_stops_what_is_under_way_and_tells_its_client(self, onramp, api, people, monkeypatch):
        monkeypatch.setattr(load, "_APPEND", Step("log", "Never ends.", ENDLESS))
        with ThreadPoolExecutor(1) as pool:
            locked = StateError("held", code="workspace_locked", facts={"pid": api.address.pid, "holder": "app"})
            asked = pool.submit(
                client.ask, onramp.home, ["--json", "ingest", str(people), "--source", "CRM", "--auto"], locked
            )
            self.until(lambda: any(w.progress().phase == "log" for w in api._workspace.loads.at_work.values()))
            api._server.end_all(30)
            found = asked.result(timeout=30)
        assert (found.exit_code, json.loads(found.out)["error"]["code"]) == (130, "stopped")


class TestNobodyAnswers:
    def test_a_holder_without_an_address_is_told_as_before(self, onramp, monkeypatch):
        monkeypatch.setattr(client, "PATIENCE", 0.2)
        with Workspace.open(onramp.home, worker="app"):
            done = onramp.run("--json", "digest")
        assert (done.code, done.json["error"]["code"]) == (3, "workspace_locked")
        assert done.json["error"]["facts"]["holder"] == "app"

    def test_the_address_of_a_process_that_was_killed_is_not_believed(self, onramp, monkeypatch):
        """The port may be anybody's by now: no word of the command goes there."""
        monkeypatch.setattr(client, "PATIENCE", 0.2)
        heard = []
        with socket.create_server(("127.0.0.1", 0)) as stranger:
            thread = threading.Thread(target=lambda: heard.append(stranger.accept()), daemon=True)
            thread.start()
            dead = subprocess.Popen([sys.executable, "-c", ""])
            dead.wait()
            left = address.Address(dead.pid, stranger.getsockname()[1], "token", client.__version__)
            address.publish(onramp.home, left)
            with Workspace.open(onramp.home, worker="app"):
                done = onramp.run("--json", "digest")
            assert (done.code, done.json["error"]["code"]) == (3, "workspace_locked")
            assert heard == []
        assert onramp.json("profile", "count")["count"] == 0, "and it hinders nobody once the workspace is free"

    def test_a_process_that_hangs_is_told_as_held(self, onramp, monkeypatch):
        monkeypatch.setattr(client, "ANSWER_SECONDS", 0.3)
        with Workspace.open(onramp.home, worker="app"), socket.create_server(("127.0.0.1", 0)) as deaf:
            pid = int((onramp.home / "lock").read_text().split()[0])
            port = deaf.getsockname()[1]
            address.publish(onramp.home, address.Address(pid, port, "token", client.__version__))
            done = onramp.run("--json", "digest")
        assert (done.code, done.json["error"]["code"]) == (3, "workspace_locked")

    def test_a_holder_that_dies_in_the_middle_is_told(self, onramp):
        with Workspace.open(onramp.home, worker="app"), socket.create_server(("127.0.0.1", 0)) as dying:

            def die():
                taken, _ = dying.accept()
                taken.recv(65536)
                taken.sendall(b'HTTP/1.0 200 OK\r\ncontent-type: application/x-ndjson\r\n\r\n{"talk": ""}\n')
                taken.close()

            threading.Thread(target=die, daemon=True).start()
            pid = int((onramp.home / "lock").read_text().split()[0])
            port = dying.getsockname()[1]
            address.publish(onramp.home, address.Address(pid, port, "token", client.__version__))
            done = onramp.run("--json", "digest")
        assert (done.code, done.json["error"]["code"]) == (3, "answer_lost")

    def test_another_version_is_told_what_to_do(self, onramp, api, monkeypatch):
        monkeypatch.setattr(client, "__version__", "0.0.1")
        done = onramp.run("--json", "digest")
        assert (done.code, done.json["error"]["code"]) == (3, "other_version")
        assert done.json["error"]["hint"]

    def test_a_closed_one_leaves_no_address(self, onramp, serving):
        api = serving(onramp.home)
        assert address.find(onramp.home) == api.address
        api.close()
        assert not (onramp.home / "api.json").exists()


def order(**changes):
    """The body of a request."""
    right = {"arguments": ["--json", "digest"], "folder": "/", "user": "asha", "stdin": None, "environment": {},
             "is_watched": False}  # fmt: skip
    return json.dumps(right | changes).encode()


class TestDoor:
    """Only who can read the file in the workspace gets in, and only from this machine."""

    @pytest.fixture
    def ask(self, api):
        def asking(method="POST", path="/command", body=None, without=(), **headers):
            given = {
                "host": api.address.host,
                "authorization": f"Bearer {api.address.token}",
                "content-type": "application/json",
                **{name.replace("_", "-"): value for name, value in headers.items()},
            }
            sent = order() if body is None else body
            connection = http.client.HTTPConnection("127.0.0.1", api.address.port, timeout=30)
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in {"content-length": str(len(sent)), **given}.items():
                if name not in without:
                    connection.putheader(name, value)
            connection.endheaders(sent)
            response = connection.getresponse()
            text = response.read()
            connection.close()
            return response.status, text

        return asking

    def test_a_right_request_is_answered(self, ask):
        status, text = ask()
        assert status == 200
        assert json.loads(text.splitlines()[-1])["exit_code"] == 0

    @pytest.mark.parametrize(
        ("change", "status"),
        [
            ({"authorization": "Bearer wrong"}, 401),
            ({"authorization": ""}, 401),
            ({"authorization": "Bearer tök"}, 401),
            ({"without": ["authorization"]}, 401),
            ({"host": "localhost"}, 403),
            ({"host": "evil.example"}, 403),
            ({"without": ["host"]}, 403),
            ({"origin": "http://evil.example"}, 403),
            ({"origin": "null"}, 403),
            ({"sec_fetch_site": "cross-site"}, 403),
            ({"method": "GET"}, 405),
            ({"method": "DELETE"}, 405),
            ({"method": "OPTIONS"}, 405),
            ({"path": "/"}, 405),
            ({"content_type": "text/plain"}, 415),
            ({"content_length": "99999999999"}, 413),
            ({"content_length": "1" * 400}, 413),
            ({"content_length": "-1"}, 411),
            ({"without": ["content-length"]}, 411),
            ({"transfer_encoding": "chunked"}, 411),
            ({"body": b""}, 400),
            ({"body": b"[1]"}, 400),
            ({"body": b"[" * 100_000}, 400),
            ({"body": order(arguments=[1])}, 400),
            ({"body": order(environment=[])}, 400),
            ({"body": order(folder=".")}, 400),
            ({"body": order(user="")}, 400),
        ],
    )
    def test_anything_else_is_refused_without_a_word_about_the_workspace(self, ask, change, status):
        got, text = ask(**change)
        assert got == status
        assert set(json.loads(text)) == {"error"}

    def test_a_huge_body_is_not_read(self, api, ask, monkeypatch):
        monkeypatch.setattr(server, "MOST_BYTES", 1000)
        assert ask(body=b"x" * 1001)[0] == 413

    def test_nobody_learns_whether_a_token_begins_right(self, api, ask):
        assert ask(authorization=f"Bearer {api.address.token[:-1]}")[0] == 401
        assert ask(authorization=f"Bearer {api.address.token}x")[0] == 401

    def test_the_token_is_readable_by_its_owner_alone_and_new_each_time(self, onramp, serving):
        tokens = set()
        for _ in range(2):
            api = serving(onramp.home)
            mode = (onramp.home / "api.json").stat().st_mode
            assert stat.S_IMODE(mode) == 0o600
            tokens.add(api.address.token)
            api.close()
            api._workspace.close()
        assert len(tokens) == 2
        assert min(map(len, tokens)) >= 43  # 256 bits

    def test_it_listens_on_the_loopback_address_alone(self, api):
        assert api._server.socket.getsockname()[0] == "127.0.0.1"
        others = {found[4][0] for found in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
        for other in {"127.0.0.2", *others} - {"127.0.0.1"}:
            with socket.socket() as probe:
                probe.settimeout(2)
                assert probe.connect_ex((other, api.address.port)) != 0

    def test_too_many_clients_are_told_to_come_again(self, ask, api, monkeypatch):
        places = threading.BoundedSemaphore(1)
        monkeypatch.setattr(api._server, "_places", places)
        places.acquire()
        assert ask()[0] == 503
        places.release()
        assert ask()[0] == 200

    def test_nothing_of_a_request_is_written_to_the_log(self, ask, capfd, caplog):
        ask(path="/command?priya@example.com")
        ask(body=b"priya@example.com")
        out, err = capfd.readouterr()
        assert "priya" not in out + err + caplog.text
