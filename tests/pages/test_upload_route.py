"""The upload route: nothing without a ticket, nothing over the size, and a cut-off sender can go on."""

from __future__ import annotations

import asyncio
import json
import os
import threading

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware

import app as server
from pages.ui.arrivals import ARRIVALS, browser_of

COOKIE = "the-browser"
# The same token as Streamlit wrote it on two visits of one browser.
MASK, MASKED = "767b41a0", "05545496c920dc99eadcfd158b1f3133"
OTHER_MASK, OTHER_MASKED = "5c7f2e7b", "2f503b4de324b342c0d892cea11b5ee8"
DATA = os.urandom(2_500_000)


@pytest.fixture
def send(workspace):
    """send(method, path, headers, body pieces) → (status, headers, body), through routes and middleware."""
    asgi = Starlette(
        routes=server.ROUTES,
        middleware=[Middleware(server.SecurityHeaders)],
        exception_handlers={server.OnrampError: server.refuse},
    )

    def call(method, path, headers=(), pieces=(b"",), *, is_cut=False):
        return asyncio.run(_call(asgi, method, path, dict(headers), list(pieces), is_cut=is_cut))

    return call


async def _call(asgi, method, path, headers, pieces, *, is_cut):
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    if is_cut:
        messages.append({"type": "http.disconnect"})
    else:
        messages[-1]["more_body"] = False
    sent = []
    all_headers = {"host": "127.0.0.1:8501", "cookie": f"_streamlit_xsrf={COOKIE}", **headers}

    async def receive():
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "path": path,
        "raw_path": path.encode(), "query_string": b"", "root_path": "", "scheme": "http",
        "headers": [(k.encode(), v.encode()) for k, v in all_headers.items()], "server": ("127.0.0.1", 8501),
    }  # fmt: skip
    await asgi(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], {k.decode(): v.decode() for k, v in sent[0]["headers"]}, body


@pytest.fixture
def ticket(workspace):
    return ARRIVALS.issue("draft", "asha", COOKIE, 3_000_000)


def begin(send, ticket, size=len(DATA), **extra):
    headers = {"x-ticket": ticket, "x-file-name": "../../etc/K%C3%B6ln.tsv", "x-file-size": str(size), **extra}
    return send("POST", "/api/upload", headers)


def test_a_file_arrives_whole_under_a_generated_name(send, ticket, workspace):
    status, _, body = begin(send, ticket)
    assert status == 201
    path = f"/api/upload/{json.loads(body)['upload']}"
    pieces = [DATA[i : i + 65_536] for i in range(0, len(DATA), 65_536)]
    status, _, body = send("PATCH", path, {"upload-offset": "0"}, pieces)
    assert (status, json.loads(body)) == (200, {"offset": len(DATA), "done": True})
    arrival = ARRIVALS.collect(path.rpartition("/")[2], "draft")
    file = workspace.landing.open(arrival.landing_id)
    assert (file.name, file.open().read()) == ("Köln.tsv", DATA)
    assert not any(DATA[:64] in landed.read_bytes() for landed in (workspace.home / "landing").iterdir())


def test_a_cut_off_upload_goes_on_where_it_was(send, ticket, workspace):
    path = f"/api/upload/{json.loads(begin(send, ticket)[2])['upload']}"
    send("PATCH", path, {"upload-offset": "0"}, [DATA[:700_001]], is_cut=True)
    status, headers, _ = send("HEAD", path)
    offset = int(headers["upload-offset"])
    assert status == 200
    assert 0 < offset <= 700_001
    status, _, body = send("PATCH", path, {"upload-offset": str(offset)}, [DATA[offset:]])
    assert json.loads(body)["done"]
    arrival = ARRIVALS.collect(path.rpartition("/")[2], "draft")
    assert workspace.landing.open(arrival.landing_id).open().read() == DATA


def test_it_goes_on_after_a_reload_which_masks_the_cookie_anew(send, workspace):
    before, after = (f"2|{mask}|{masked}|1795831392" for mask, masked in ((MASK, MASKED), (OTHER_MASK, OTHER_MASKED)))
    ticket = ARRIVALS.issue("draft", "asha", browser_of(before), 3_000_000)
    cookie = {"cookie": f"_streamlit_xsrf={before}"}
    path = f"/api/upload/{json.loads(begin(send, ticket, **cookie)[2])['upload']}"
    send("PATCH", path, {"upload-offset": "0", **cookie}, [DATA[:700_001]], is_cut=True)
    status, headers, _ = send("HEAD", path, {"cookie": f"_streamlit_xsrf={after}"})
    assert (status, int(headers["upload-offset"]) > 0) == (200, True)
    another = f"2|{OTHER_MASK}|{MASKED}|1795831392"
    assert send("HEAD", path, {"cookie": f"_streamlit_xsrf={another}"})[0] == 403


def test_a_wrong_offset_is_refused_with_the_right_one(send, ticket):
    path = f"/api/upload/{json.loads(begin(send, ticket)[2])['upload']}"
    status, _, body = send("PATCH", path, {"upload-offset": "5"}, [b"x"])
    assert (status, json.loads(body)["offset"]) == (409, 0)


def test_more_bytes_than_announced_are_refused_and_the_arrival_is_over(send, ticket):
    path = f"/api/upload/{json.loads(begin(send, ticket, size=1000)[2])['upload']}"
    assert send("PATCH", path, {"upload-offset": "0"}, [b"x" * 1001])[0] == 413
    assert send("HEAD", path)[0] == 403


def test_nothing_is_accepted_without_a_ticket_or_twice_with_one(send, ticket):
    assert begin(send, "guessed")[0] == 403
    assert begin(send, ticket)[0] == 201
    assert begin(send, ticket)[0] == 403
    assert send("PATCH", "/api/upload/guessed", {"upload-offset": "0"}, [b"x"])[0] == 403


def test_another_browser_cannot_use_the_ticket_or_the_arrival(send, ticket):
    other = {"cookie": "_streamlit_xsrf=another"}
    assert begin(send, ticket, **other)[0] == 403
    path = f"/api/upload/{json.loads(begin(send, ticket)[2])['upload']}"
    assert send("HEAD", path, other)[0] == 403


@pytest.mark.parametrize("headers", [{"origin": "http://evil.example"}, {"host": "evil.example:8501"}])
def test_other_sites_are_refused(send, ticket, headers):
    assert begin(send, ticket, **headers)[0] == 403


@pytest.mark.parametrize("size", ["3000001", "0", "-1", "many", ""])
def test_a_size_over_the_limit_or_without_sense_is_refused(send, ticket, size):
    status, _, body = begin(send, ticket, size=size)
    assert status in (400, 413)
    assert json.loads(body)["error"]["message"]


def test_giving_up_deletes_the_bytes(send, ticket, workspace):
    path = f"/api/upload/{json.loads(begin(send, ticket)[2])['upload']}"
    assert workspace.landing.ids()
    assert send("DELETE", path)[0] == 204
    assert workspace.landing.ids() == []


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_the_upload_route_of_streamlit_is_closed(send, method):
    assert send(method, "/_stcore/upload_file/session/file")[0] == 403


class TestHealth:
    def test_it_is_well_while_the_worker_works_and_the_engine_answers(self, send, workspace):
        workspace.jobs.start_worker()
        status, _, body = send("GET", "/api/health")
        assert (status, json.loads(body)) == (200, {"status": "ok", "worker": "alive", "engine": "fine", "trouble": {}})

    def test_it_is_not_without_a_worker(self, send):
        status, _, body = send("GET", "/api/health")
        assert (status, json.loads(body)) == (
            503,
            {"status": "failing", "worker": "gone", "engine": "fine", "trouble": {}},
        )

    def test_it_is_not_with_an_engine_that_stopped(self, send, workspace):
        left = threading.Event()
        workspace.jobs.start_worker(on_broken=left.set)
        workspace.engine._condition.breaks("FATAL Error: it stopped")
        assert left.wait(30)
        status, _, body = send("GET", "/api/health")
        assert (status, json.loads(body)["engine"]) == (503, "engine_stopped")


def test_every_answer_carries_the_security_headers(send):
    _, headers, _ = send("GET", "/api/health")
    policy = headers["content-security-policy"]
    assert "connect-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "sha256-" in policy
    assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


# ── ID syncs by HTTP ─────────────────────────────────────────────────────────────────────────────────────


def test_an_id_sync_is_not_there_until_it_is_switched_on(send):
    status, _, body = send("GET", "/ibs:dpid=478&dpuuid=C-1")
    assert (status, json.loads(body)["error"]["code"]) == (404, "route_off")


def test_an_id_sync_answers_with_a_pixel_and_a_cookie_or_sends_on(send, workspace):
    workspace.configuration.set({"id_sync_route": True})
    workspace.sources.add("Site", kind="data_source", dpid=478, id_type="cookie")
    status, headers, body = send("GET", "/ibs:dpid=478&dpuuid=C-1")
    assert (status, headers["content-type"], body[:6]) == (200, "image/gif", b"GIF89a")
    name, _, rest = headers["set-cookie"].partition("=")
    uuid = rest.partition(";")[0]
    assert (name, len(uuid), "HttpOnly" in rest) == ("onramp_uuid", 38, True)
    cookie = {"cookie": f"onramp_uuid={uuid}"}
    status, headers, _ = send(
        "GET", "/ibs:dpid=478&dpuuid=C-1&redir=https%3A%2F%2Fx.example%2F%24%7BDD_UUID%7D", cookie
    )
    assert (status, headers["location"]) == (302, f"https://x.example/{uuid}")
    status, _, body = send("GET", "/ibs:dpid=99&dpuuid=C-1")
    assert (status, json.loads(body)["error"]["code"]) == (400, "unknown_data_source")
