"""Logging in and out.

Why it exists: the form itself carries a token that its own cookie must match, so nobody is logged in by another's page;
after log-in the session is a new one. What was wrong is never told.
"""

from __future__ import annotations

import re
import secrets
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from tumorboard.serve.data.words import Role
from tumorboard.serve.web.doors import address_of, allow, cookie_name, public, right_token
from tumorboard.serve.web.logins import FAILURES, LOCKED, Visitor, close_login, open_login, try_login
from tumorboard.serve.web.refusals import Forbidden, TooOften
from tumorboard.serve.web.show import TheSite

router = APIRouter()

_NEXT = re.compile(r"/(worklist|studies|patients|room|surveillance|audit|settings)(/[A-Za-z0-9_./-]*)?")
WRONG = (
    "Name or password is wrong, or this log-in is barred for now. "
    f"After {FAILURES} wrong passwords an account is locked for {LOCKED.seconds // 60} minutes."
)


def where_next(path: str) -> str:
    """Return where to go after log-in: a page of ours, never another place.

    Examples
    --------
    >>> where_next("/studies/a1b2"), where_next("//evil.example"), where_next("/studies/../../x")
    ('/studies/a1b2', '/worklist', '/worklist')
    """
    return path if _NEXT.fullmatch(path) and ".." not in path and "//" not in path else "/worklist"


@router.get("/", dependencies=[public()], include_in_schema=False)
def home() -> RedirectResponse:
    """Go to the worklist."""
    return RedirectResponse("/worklist", 303)


@router.get("/login", dependencies=[public()])
def login_page(request: Request, site: TheSite, next: str = "") -> HTMLResponse:
    """Show the form."""
    return _form(request, site, next, "", 200)


@router.post("/login", dependencies=[public()])
def log_in(
    request: Request,
    site: TheSite,
    name: Annotated[str, Form(max_length=64)] = "",
    password: Annotated[str, Form(max_length=1024)] = "",
    csrf: Annotated[str, Form(max_length=64)] = "",
    next: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Check name and password, and begin a session."""
    if not right_token(csrf, request.cookies.get(_form_cookie(request), "")):
        raise Forbidden("the form of this browser; open the page again")
    if wait := site.tries.wait_s(address_of(request)):
        raise TooOften(wait)
    user = try_login(site, name.strip().lower(), password, address_of(request))
    if user is None:
        return _form(request, site, next, WRONG, 401)
    went = RedirectResponse(where_next(next), 303)
    _set(went, request, cookie_name(request), open_login(site, user), "lax")
    went.delete_cookie(_form_cookie(request), path="/")
    return went


@router.post("/logout")
def log_out(request: Request, site: TheSite, visitor: Annotated[Visitor, allow(Role.READER)]) -> RedirectResponse:
    """End the session."""
    close_login(site, visitor)
    went = RedirectResponse("/login", 303)
    went.delete_cookie(cookie_name(request), path="/")
    went.headers["clear-site-data"] = '"cache"'
    return went


def _form(request: Request, site: TheSite, after: str, wrong: str, status: int) -> HTMLResponse:
    token = request.cookies.get(_form_cookie(request), "") or secrets.token_urlsafe(24)
    html = site.pages.get_template("login.html").render(
        visitor=None, csrf=token, next=where_next(after), wrong=wrong, places=[]
    )
    answer = HTMLResponse(html, status)
    _set(answer, request, _form_cookie(request), token, "strict")
    return answer


def _form_cookie(request: Request) -> str:
    return f"{cookie_name(request)}-form"


def _set(answer: Response, request: Request, name: str, value: str, same: str) -> None:
    secure = request.url.scheme == "https"
    answer.set_cookie(
        name, value, path="/", httponly=True, secure=secure, samesite="strict" if same == "strict" else "lax"
    )
