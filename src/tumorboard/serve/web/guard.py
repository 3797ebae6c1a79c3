"""What every request passes before any route: host, pace, size of its body; every answer after: headers, log, count.

Why it exists: these hold for all routes, also for unknown ones and for errors, so they stand outside the application.
Sources: OWASP HTTP Headers Cheat Sheet; W3C CSP Level 3; RFC 6797 (HSTS); Jackson C et al., CCS 2007 (DNS rebinding).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from fastapi.responses import PlainTextResponse
from starlette.datastructures import Headers, MutableHeaders

from tumorboard.serve.log import tell
from tumorboard.serve.settings import is_loopback
from tumorboard.serve.web.doors import SAFE
from tumorboard.serve.web.site import Site

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

SMALL = 256 * 1024
"""Largest body in bytes of a request to a page."""

LARGE_PATHS = ("/dicomweb/studies", "/room")
"""Below these paths bodies may be as large as the settings say."""

BODY_SECONDS = 30.0
"""A sender that is silent for this time in the middle of its body is refused."""

CSP = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""Scripts, styles and pictures from us alone; nothing inline, nothing evaluated, no frame."""

HEADERS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cache-control": "no-store",
}
"""Headers of every answer that does not set them itself."""

HSTS = "max-age=31536000"


class _Refused(Exception):
    def __init__(self, status: HTTPStatus) -> None:
        self.status = status


class Guard:
    """Wraps the application.

    Parameters
    ----------
    app : ASGI application
        What is guarded.
    site : Site
        Settings, limits, counters.
    """

    def __init__(self, app: App, site: Site) -> None:
        self._app, self._site = app, site

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        await _Exchange(self._app, self._site, scope, receive, send).go()


class _Exchange:
    """One request and its answer."""

    def __init__(self, app: App, site: Site, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        self._app, self._site, self._scope, self._receive, self._send = app, site, scope, receive, send
        self._headers = Headers(scope=scope)
        self._began = time.perf_counter()
        self._status, self._sent, self._taken, self._whole = 0, 0, 0, False
        self._refused: HTTPStatus | None = None
        self._limit = body_limit(site, scope["path"])

    async def go(self) -> None:
        try:
            self._check()
            await self._app(self._scope, self._take, self._give)
        except _Refused as refused:
            await self._say(refused.status)
        except Exception as error:  # the last line of defence: nothing of the error reaches the visitor
            tell("web", "a defect of ours", level=logging.ERROR, error=error, route=self._route())
            await self._say(self._refused or HTTPStatus.INTERNAL_SERVER_ERROR)
        finally:
            self._log()

    def _check(self) -> None:
        if not host_is_ours(self._site, self._headers.get("host", "")):
            raise _Refused(HTTPStatus.MISDIRECTED_REQUEST)
        if self._site.requests.wait_s((self._scope.get("client") or ("",))[0]):
            raise _Refused(HTTPStatus.TOO_MANY_REQUESTS)
        if self._scope["method"] not in SAFE and not same_origin(self._headers):
            raise _Refused(HTTPStatus.FORBIDDEN)
        if self._headers.get("content-encoding", "identity").lower() != "identity":
            raise _Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        length = self._headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit():
            raise _Refused(HTTPStatus.BAD_REQUEST)
        if int(length[:20]) > self._limit:
            raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)

    async def _take(self) -> Message:
        if self._whole:
            return await self._receive()  # nothing but the end of the connection comes now
        try:
            message = await asyncio.wait_for(self._receive(), BODY_SECONDS)
        except TimeoutError as error:
            self._refused = HTTPStatus.REQUEST_TIMEOUT
            raise _Refused(self._refused) from error
        self._taken += len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        if self._taken > self._limit:
            self._refused = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            raise _Refused(self._refused)
        return message

    async def _give(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if self._refused is not None:  # whoever caught our refusal answers in our words
                raise _Refused(self._refused)
            self._dress(message)
        else:
            self._sent += len(message.get("body", b""))
        await self._send(message)

    def _dress(self, message: Message) -> None:
        self._status = message["status"]
        headers = MutableHeaders(raw=message.setdefault("headers", []))
        message["headers"] = headers.raw
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        if self._scope["scheme"] == "https":
            headers.setdefault("strict-transport-security", HSTS)

    async def _say(self, status: HTTPStatus) -> None:
        if self._status:
            return  # the answer has begun; the connection ends
        self._refused = None
        more = {"retry-after": "10"} if status is HTTPStatus.TOO_MANY_REQUESTS else {}
        if not self._whole:
            more["connection"] = "close"
        plain = PlainTextResponse(f"{status.value} {status.phrase}\n", status.value, more)
        await plain(self._scope, self._receive, self._give)

    def _route(self) -> str:
        """Return the pattern of the path; a path itself may hold an identifier."""
        return str(getattr(self._scope.get("route"), "path", "(none)"))

    def _log(self) -> None:
        seconds = time.perf_counter() - self._began
        route, method, status = self._route(), self._scope["method"], self._status
        method = method if method in _METHODS else "OTHER"
        self._site.meters.request(route, method, status, seconds)
        tell("web", "request", method=method, route=route, status=status, ms=round(seconds * 1000), bytes=self._sent)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})


def body_limit(site: Site, path: str) -> int:
    """Return how many bytes a body may have."""
    return int(site.settings.web.max_body_mib * 2**20) if path.startswith(LARGE_PATHS) else SMALL


def host_is_ours(site: Site, host: str) -> bool:
    """Whether a request names a host that we are: on a machine's own address no other name may lead to us."""
    told = site.settings.web
    name = _name_of(host)
    return not is_loopback(told.host) or is_loopback(name) or name in told.names


def same_origin(headers: Headers) -> bool:
    """Whether a changing request comes from a page of ours, or from no page at all.

    Examples
    --------
    >>> same_origin(Headers({"host": "a:1", "origin": "http://a:1"})), same_origin(Headers({"host": "a:1"}))
    (True, True)
    >>> same_origin(Headers({"host": "a:1", "origin": "http://evil"}))
    False
    """
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host", "")


def _name_of(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
