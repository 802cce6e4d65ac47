"""The server: Streamlit's pages plus what they cannot do themselves.

A route that streams an upload to disk and can be resumed, a health route, security headers on every answer, and one
worker per process that starts and stops with it; apart from all that, the loopback port that takes commands.
``python -m ingest_core serve`` starts it, and starts it again.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import NoReturn
from urllib.parse import unquote, urlsplit

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingest_core.cli.main import build_parser
from ingest_core.cli.server import Api
from ingest_core.cli.supervisor import LEAVE
from ingest_core.errors import InputError, OnrampError
from ingest_core.workspace import Workspace
from pages.ui.arrivals import ARRIVALS, Arrival, browser_of, no_ticket, too_large
from pages.ui.errors import report
from pages.ui.state import close_workspaces, workspace

SILENCE_SECONDS = 60  # a sender that is silent for this long has lost its connection; it can resume
WRITE_BYTES = 1 << 20
ID_COOKIE = "onramp_uuid"
PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")

_LOG = logging.getLogger("onramp.app")


# ── receiving files ──────────────────────────────────────────────────────────────────────────────────────


async def begin_upload(request: Request) -> Response:
    """POST: a ticket, a name and a size → the id to send the bytes to."""
    _same_site(request)
    size = _whole(request.headers.get("x-file-size", ""))
    ticket = ARRIVALS.redeem(request.headers.get("x-ticket", ""), _session(request), size)
    name = Path(unquote(request.headers.get("x-file-name", ""))[:255].replace("\\", "/")).name or "file"
    landing = workspace().landing
    for late in ARRIVALS.expired():
        landing.delete(late.landing_id)
    writer = await asyncio.to_thread(landing.create, name, size)
    await asyncio.to_thread(writer.finish)
    arrival = ARRIVALS.begin(ticket, name, size, writer.landing_id)
    return JSONResponse({"upload": arrival.arrival_id, "offset": 0}, status_code=201)


async def tell_offset(request: Request) -> Response:
    """HEAD: how many bytes are safe, so that a cut-off sender knows where to go on."""
    arrival = _arrival(request)
    offset = await asyncio.to_thread(workspace().landing.offset, arrival.landing_id)
    return Response(headers={"Upload-Offset": str(offset), "Upload-Length": str(arrival.size)})


async def receive_bytes(request: Request) -> Response:
    """PATCH: bytes from an offset on; 409 when the offset is not where the file ends or another sender is at it."""
    _same_site(request)
    arrival = _arrival(request)
    if not arrival.busy.acquire(blocking=False):
        return JSONResponse({"code": "busy"}, status_code=409)
    try:
        return await _append(request, arrival)
    finally:
        arrival.busy.release()


async def _append(request: Request, arrival: Arrival) -> Response:
    writer = await asyncio.to_thread(workspace().landing.resume, arrival.landing_id)
    try:
        if writer.offset != _whole(request.headers.get("upload-offset", "")):
            return JSONResponse({"code": "wrong_offset", "offset": writer.offset}, status_code=409)
        async for block in _blocks(request):
            if writer.offset + len(block) > arrival.size:
                ARRIVALS.drop(arrival.arrival_id)
                raise too_large(arrival.size)
            await asyncio.to_thread(writer.write, block)
    except (ClientDisconnect, TimeoutError):
        pass  # parked below; the sender asks for the offset and goes on
    finally:
        await asyncio.to_thread(writer.finish)
    offset = await asyncio.to_thread(workspace().landing.offset, arrival.landing_id)
    arrival.is_complete = offset == arrival.size
    return JSONResponse({"offset": offset, "done": arrival.is_complete})


async def _blocks(request: Request) -> AsyncIterator[bytes]:
    """The body in blocks of about a megabyte, so that encrypting and writing rarely switch threads."""
    stream = request.stream().__aiter__()
    held = bytearray()
    while True:
        try:
            chunk = await asyncio.wait_for(stream.__anext__(), SILENCE_SECONDS)
        except StopAsyncIteration:
            break
        except (ClientDisconnect, TimeoutError):
            if held:
                yield bytes(held)
            raise
        held += chunk
        if len(held) >= WRITE_BYTES:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)


async def give_up(request: Request) -> Response:
    """DELETE: the person chose another file."""
    _same_site(request)
    arrival = _arrival(request)
    ARRIVALS.drop(arrival.arrival_id)
    await asyncio.to_thread(workspace().landing.delete, arrival.landing_id)
    return Response(status_code=204)


async def health(request: Request) -> Response:
    """GET: 200 while uploads are received and loaded; 503 when the worker is gone or the engine does not answer.

    Work that cannot go on at the moment, such as a round that meets a full disk, makes it limited, and is named.
    """
    found = await asyncio.to_thread(workspace().jobs.health)
    is_fine = found.is_worker_alive and found.is_engine_fine
    trouble = workspace().trouble()
    parts = {
        "status": "failing" if not is_fine else "limited" if trouble else "ok",
        "worker": "alive" if found.is_worker_alive else "gone",
        "engine": "fine" if found.is_engine_fine else found.problem,
        "trouble": trouble,
    }
    return JSONResponse(parts, status_code=200 if is_fine else 503)


async def sync_ids(request: Request) -> Response:
    """GET /ibs:dpid=…&dpuuid=…: an ID sync of a browser, off unless the setting id_sync_route says so."""
    query = request.url.query
    url = f"https://here{request.scope['raw_path'].decode('latin-1')}" + (f"?{query}" if query else "")
    client = request.client.host if request.client else ""
    try:
        synced = await asyncio.to_thread(workspace().http_syncs.take, url, request.cookies.get(ID_COOKIE), client)
    except OnrampError as error:
        status = {"route_off": 404, "too_many_requests": 429}.get(error.code, 400)
        return JSONResponse({"error": error.as_dict()}, status_code=status)
    answer = (
        Response(PIXEL, media_type="image/gif") if synced.redirect is None else RedirectResponse(synced.redirect, 302)
    )
    is_secure = request.url.scheme == "https"  # other sites' pages are told the cookie over https only
    answer.set_cookie(
        ID_COOKIE, synced.uuid, max_age=180 * 86_400, httponly=True, secure=is_secure,
        samesite="none" if is_secure else "lax",
    )  # fmt: skip
    answer.headers["cache-control"] = "no-store"
    return answer


async def refuse(request: Request, error: OnrampError) -> Response:
    """Our errors as JSON, without a trace."""
    status = {"file_too_large": 413, "no_ticket": 403, "other_site": 403}.get(error.code, 400)
    return JSONResponse({"error": error.as_dict()}, status_code=status)


def _arrival(request: Request) -> Arrival:
    return ARRIVALS.get(request.path_params["arrival_id"], _session(request))


def _session(request: Request) -> str:
    return browser_of(request.cookies.get("_streamlit_xsrf", ""))


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise InputError("The upload was not announced properly. Nothing was kept.", code="bad_request")
    return int(text)


def _same_site(request: Request) -> None:
    """Only our own pages may send: a foreign origin or host name is refused before a byte is read."""
    host = request.headers.get("host", "")
    origin = request.headers.get("origin")
    allowed = {str(name).lower() for name in st.get_option("server.allowedHosts") or []}
    is_known_host = not allowed or "*" in allowed or (urlsplit(f"//{host}").hostname or "") in allowed
    if not is_known_host or (origin is not None and urlsplit(origin).netloc != host):
        raise no_ticket()


# ── headers ──────────────────────────────────────────────────────────────────────────────────────────────


@cache
def security_headers() -> list[tuple[bytes, bytes]]:
    """Headers for every answer. The page's own inline script is allowed by its hash, read from the installed page."""
    page = (Path(st.__file__).parent / "static" / "index.html").read_text("utf-8")
    inline = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in inline
    )
    policy = {
        "default-src": "'self'",
        "script-src": f"'self' 'unsafe-eval' blob: {hashes}",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self'",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    headers = {
        "content-security-policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
    }
    return [(name.encode(), value.encode()) for name, value in headers.items()]


class SecurityHeaders:
    """Adds the headers, and closes Streamlit's own upload route, which keeps files in memory and asks for no ticket.

    Plain ASGI, so that streams stay streams.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *security_headers()]
            await send(message)

        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif "/_stcore/upload_file" in scope["path"]:
            await Response("Files are sent to /api/upload.", status_code=403)(scope, receive, send_with_headers)
        else:
            await self._app(scope, receive, send_with_headers)


# ── the process ──────────────────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[None]:
    """One workspace and one worker per process, from start to end."""
    opened = await asyncio.to_thread(_open)
    opened.start_work(on_broken=lambda: leave("The database stopped."))
    api = await asyncio.to_thread(Api(opened, build_parser).start)
    try:
        yield
    finally:
        await asyncio.to_thread(api.close)
        if not await asyncio.to_thread(opened.stop_work):
            leave("The worker could not be ended.")
        await asyncio.to_thread(close_workspaces)


def _open() -> Workspace:
    """The workspace; where it cannot be opened, the process ends with the reason in two lines and no trace."""
    try:
        return workspace()
    except OnrampError as error:
        _LOG.error("%s %s", error.message, error.hint)
        logging.shutdown()
        os._exit(error.exit_code)


def leave(why: str) -> NoReturn:
    """Ends a process that cannot go on, at once: what is committed is safe, the rest waits for the next one.

    ``python -m ingest_core serve`` starts it again.
    """
    _LOG.error("%s The app leaves (exit code %d) and has to be started again.", why, LEAVE)
    logging.shutdown()
    os._exit(LEAVE)


ROUTES = [
    Route("/api/health", health, methods=["GET"]),
    Route("/ibs:{rest:path}", sync_ids, methods=["GET"]),
    Route("/api/upload", begin_upload, methods=["POST"]),
    Route("/api/upload/{arrival_id}", tell_offset, methods=["HEAD"]),
    Route("/api/upload/{arrival_id}", receive_bytes, methods=["PATCH"]),
    Route("/api/upload/{arrival_id}", give_up, methods=["DELETE"]),
]
app = st.App(
    Path(__file__).with_name("pages") / "main.py",
    lifespan=lifespan,
    routes=ROUTES,
    middleware=[Middleware(SecurityHeaders)],
    on_script_error=report,
    exception_handlers={OnrampError: refuse},
)
