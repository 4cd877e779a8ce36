"""The page over HTTP: GET and HEAD, nothing is sent, nothing is kept of a visitor; strict headers on every answer."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ledger.domain.errors import ExitCode, LedgerError
from ledger.web.pages import HTML, Content, error_page
from ledger.web.render import POLICY

HEADERS = {
    "content-security-policy": f"{POLICY}; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-cache",
}
#: A file out of the store runs nothing, whatever it is.
FILE_POLICY = "default-src 'none'; sandbox"
_DOWNLOADS = ("csv", "json", "pdf", "gz")
_ADDRESS = re.compile(r"holders/(0x[0-9a-fA-F]{40})(\.html)?", re.ASCII)
_TITLES = {
    404: (
        "There is no such page",
        "Nothing stands at this address. Pages are named by address, number or hash.",
    ),
    405: ("This server only shows", "It answers GET and HEAD, and takes nothing."),
    500: ("Something went wrong", "A fault of this server; its log says more. No money is touched by it."),
    503: (
        "The books cannot be read now",
        "The node does not answer, or what it says does not add up. Try again later.",
    ),
}

#: Finds what stands at a path.
Get = Callable[[str], Content | None]


class _Headers:
    """Puts the headers on every answer, errors included."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                held = {name for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(
                        (name.encode(), text.encode())
                        for name, text in HEADERS.items()
                        if name.encode() not in held
                    ),
                ]
            await send(message)

        await self.app(scope, receive, sending)


def application(get: Get) -> ASGIApp:
    """The application over a way to find pages."""

    async def show(request: Request) -> Response:
        path = request.path_params["path"]
        if found := _ADDRESS.fullmatch(path):
            right = f"holders/{found[1].lower()}.html"
            if right != path:
                return RedirectResponse(f"{request.scope.get('root_path', '')}/{right}", status_code=308)
        try:
            content = await run_in_threadpool(get, path)
        except LedgerError as error:
            status = 503 if error.exit_code in (ExitCode.UNREACHABLE, ExitCode.AUDIT_FAILED) else 500
            return _error(request, status)
        if content is None:
            return _error(request, 404)
        return _answer(request, path, content)

    async def failed(request: Request, error: Exception) -> Response:
        return _error(request, error.status_code if isinstance(error, HTTPException) else 500)

    app = Starlette(
        routes=[Route("/{path:path}", show, methods=["GET", "HEAD"])],
        exception_handlers={HTTPException: failed, Exception: failed},
    )
    return _Headers(app)


def _answer(request: Request, path: str, content: Content) -> Response:
    if content.file is not None:
        return FileResponse(
            content.file, media_type=content.media_type, headers={"content-security-policy": FILE_POLICY}
        )
    tag = f'"{hashlib.sha256(content.body).hexdigest()[:32]}"'
    headers = {"etag": tag}
    if path.startswith("files/"):
        headers["content-security-policy"] = FILE_POLICY
        headers["cache-control"] = "public, max-age=31536000, immutable"
    elif path.rpartition(".")[2] in _DOWNLOADS:
        holder, _, name = path.removeprefix("holders/").partition("/")
        headers["content-disposition"] = f'attachment; filename="{holder[:10]}-{name}"'
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(content.body, headers=headers, media_type=content.media_type)


def _error(request: Request, status: int) -> Response:
    title, text = _TITLES.get(status, _TITLES[500])
    depth = request.scope.get("path", "/").count("/") - 1
    headers = {"allow": "GET, HEAD"} if status == 405 else {"retry-after": "10"} if status == 503 else {}
    return Response(error_page(title, text, "../" * max(0, depth)), status, headers, HTML)
