"""Refusals in the words of HTTP, and how they are answered: a page for people, JSON for machines.

Why it exists: an answer to a refusal tells what to do and nothing of what is inside.
Source: RFC 9457 (problem details).
"""

from __future__ import annotations

import logging
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException as StarletteHTTPException

from tumorboard.errors import TumorboardError
from tumorboard.serve.log import tell

MACHINE_PATHS = ("/dicomweb", "/metrics", "/health", "/ups", "/workitems")


class Refusal(Exception):
    """Base of all refusals: a status and a sentence that says what was expected.

    Parameters
    ----------
    told : str
        For the visitor; without identifiers.
    """

    status = HTTPStatus.BAD_REQUEST
    usual = "a request that can be understood"

    def __init__(self, told: str = "") -> None:
        self.told = told or self.usual
        self.headers: dict[str, str] = {}
        super().__init__(self.told)


class BadRequest(Refusal):
    """What was asked cannot be understood."""


class NotLoggedIn(Refusal):
    """Nobody is logged in."""

    status = HTTPStatus.UNAUTHORIZED
    usual = "a log-in"


class Forbidden(Refusal):
    """Somebody is logged in who may not."""

    status = HTTPStatus.FORBIDDEN
    usual = "a role that may do this"


class NotFound(Refusal):
    """It is not there, or not any more."""

    status = HTTPStatus.NOT_FOUND
    usual = "something that is there"


class NotAcceptable(Refusal):
    """It is there, but not in a form that the asker takes."""

    status = HTTPStatus.NOT_ACCEPTABLE
    usual = "a form that can be given"


class TooLarge(Refusal):
    """More came than is taken."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    usual = "less"


class Unsupported(Refusal):
    """A content type or coding that is not taken."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    usual = "a content type that is taken"


class NoRoom(Refusal):
    """The disk or the quota is full."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    usual = "free space"


class TooOften(Refusal):
    """Too many requests from one address."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    usual = "fewer requests"

    def __init__(self, wait_s: float = 60.0) -> None:
        super().__init__()
        self.headers["retry-after"] = str(max(1, round(wait_s)))


def answer_refusals(app: FastAPI) -> None:
    """Let an application answer refusals, unknown paths, bad parameters and our own errors."""
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(StarletteHTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(TumorboardError, _ours)


def answer(request: Request, status: int, told: str, headers: dict[str, str] | None = None) -> Response:
    """Return the answer to a refusal: JSON for machines, a fragment for htmx, else a page."""
    phrase = HTTPStatus(status).phrase
    asks_json = request.headers.get("accept", "").startswith("application/json")
    if request.url.path.startswith(MACHINE_PATHS) or asks_json:
        said = {"title": phrase, "status": status, "detail": f"expected {told}"}
        return JSONResponse(said, status, headers, media_type="application/problem+json")
    if status == HTTPStatus.UNAUTHORIZED:
        return _to_login(request)
    page = request.app.state.site.pages.get_template("refusal.html")
    part = request.headers.get("hx-request") == "true"
    html = page.render(status=status, phrase=phrase, told=told, part=part, visitor=None)
    return HTMLResponse(html, status, headers)


def _to_login(request: Request) -> Response:
    if request.headers.get("hx-request") == "true":
        return Response(status_code=HTTPStatus.UNAUTHORIZED, headers={"hx-redirect": "/login"})
    if request.method == "GET":
        return RedirectResponse(f"/login?next={request.url.path}", HTTPStatus.SEE_OTHER)
    return RedirectResponse("/login", HTTPStatus.SEE_OTHER)


async def _refused(request: Request, error: Exception) -> Response:
    refusal = error if isinstance(error, Refusal) else Refusal()
    headers = dict(refusal.headers)
    if refusal.status is HTTPStatus.UNAUTHORIZED and request.url.path.startswith("/dicomweb"):
        headers["www-authenticate"] = 'Basic realm="tumorboard", charset="UTF-8"'
    return answer(request, refusal.status, refusal.told, headers)


async def _http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, StarletteHTTPException) else HTTPStatus.BAD_REQUEST
    headers = dict(error.headers or {}) if isinstance(error, StarletteHTTPException) else {}
    told = {404: NotFound.usual, 405: "another method"}.get(status, Refusal.usual)
    return answer(request, status, told, headers)


async def _invalid(request: Request, error: Exception) -> Response:
    places = error.errors() if isinstance(error, RequestValidationError) else []
    name = str(places[0]["loc"][-1])[:40] if places else "request"
    return answer(request, HTTPStatus.UNPROCESSABLE_ENTITY, f"another value of {name if name.isidentifier() else 'it'}")


async def _ours(request: Request, error: Exception) -> Response:
    tell("web", "refused", level=logging.WARNING, error=error)
    told = error.expected if isinstance(error, TumorboardError) else Refusal.usual
    return answer(request, HTTPStatus.BAD_REQUEST, told)
