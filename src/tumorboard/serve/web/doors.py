"""Doors: before a route answers it says who may come in, checks it, and notes who did.

Why it exists: what a route forgets to check is open. Here a route without a door stops the start of the whole service
(:func:`checked_routes`), a changing request without its token is refused, and the look is noted before it is granted.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from tumorboard.serve.audit import record
from tumorboard.serve.data.words import Role
from tumorboard.serve.shelf.files import key_of
from tumorboard.serve.web import logins
from tumorboard.serve.web.logins import Visitor
from tumorboard.serve.web.refusals import Forbidden, NotLoggedIn, TooOften
from tumorboard.serve.web.site import Site, site_of

COOKIE, SECURE_COOKIE = "tumorboard", "__Host-tumorboard"
TOKEN_HEADER, TOKEN_FIELD = "x-csrf-token", "csrf"
MACHINES = "/dicomweb"
"""Below this path a name and a password may come with each request (HTTP Basic), as DICOM software sends them."""

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


@dataclass(frozen=True)
class Door:
    """Who may come in through a route, and how their coming is noted.

    Parameters
    ----------
    least : Role or None
        The least role; None lets everybody in, without a log-in.
    what : str
        A verb and its thing for the audit table; empty where nothing of a patient is shown.
    wakes : bool
        Whether a request is a sign of life; not so for what a page asks for by itself.
    """

    least: Role | None
    what: str = ""
    wakes: bool = True

    async def __call__(self, request: Request) -> Visitor | None:
        """Let the visitor in, or refuse.

        Raises
        ------
        NotLoggedIn, Forbidden, TooOften
            Nobody is logged in; they may not; too many wrong passwords came.
        """
        if self.least is None:
            return None
        site = site_of(request)
        visitor, stale = await run_in_threadpool(_who, site, request)
        if not visitor.may(self.least):
            await run_in_threadpool(_note, site, visitor, "refused: " + (self.what or request.method), _thing(request))
            raise Forbidden
        if request.method not in SAFE and visitor.login_id and not await _token_is_right(request, visitor):
            raise Forbidden("a page that was opened by this log-in")
        touched = visitor if stale and self.wakes else None
        if self.what or touched:
            await run_in_threadpool(_note, site, visitor, self.what, _thing(request), touched)
        request.state.visitor = visitor
        return visitor


def allow(least: Role, what: str = "", *, wakes: bool = True) -> Any:
    """Return the door of a route: ``visitor: Annotated[Visitor, allow(Role.READER, "study opened")]``.

    Parameters
    ----------
    least : Role
        The least role that may.
    what : str
        How the look or change is noted in the audit table; empty where nothing of a patient is shown.
    wakes : bool
        False for what a page asks for by itself.

    Examples
    --------
    >>> allow(Role.ADMIN, "audit opened").dependency.least.value
    'admin'
    """
    return Depends(Door(least, what, wakes))


def public() -> Any:
    """Return the door of a route that anybody may use without a log-in."""
    return Depends(Door(None))


def door_of(route: APIRoute) -> Door | None:
    """Return the door of a route; None where it has none."""
    return next((d for d in _calls(route.dependant) if isinstance(d, Door)), None)


def checked_routes(routers: Iterable[APIRouter]) -> list[APIRoute]:
    """Return all routes, and refuse to start where one has no door.

    Raises
    ------
    RuntimeError
        Names the routes; what is no plain route has none.

    Examples
    --------
    >>> router = APIRouter()
    >>> _ = router.get("/open")(lambda: None)
    >>> checked_routes([router])
    Traceback (most recent call last):
    RuntimeError: routes without a door: /open
    """
    routes = [route for router in routers for route in router.routes]
    good = [route for route in routes if isinstance(route, APIRoute) and door_of(route) is not None]
    bare = [str(getattr(route, "path", type(route).__name__)) for route in routes if route not in good]
    if bare:
        raise RuntimeError(f"routes without a door: {', '.join(bare)}")
    return good


def cookie_name(request: Request) -> str:
    """Return how the cookie is called; its prefix binds it to this host and to encryption (RFC 6265bis 4.1.3)."""
    return SECURE_COOKIE if request.url.scheme == "https" else COOKIE


def address_of(request: Request) -> str:
    """Return the network address that asks."""
    return request.client.host if request.client else ""


def right_token(given: str, expected: str) -> bool:
    """Whether a token is the expected one, compared in equal time; an empty one never is.

    Examples
    --------
    >>> right_token("a", "a"), right_token("", ""), right_token("ä", "a")
    (True, False, False)
    """
    return bool(expected) and hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def _calls(dependant: Any) -> Iterator[Any]:
    for part in dependant.dependencies:
        yield part.call
        yield from _calls(part)


def _who(site: Site, request: Request) -> tuple[Visitor, bool]:
    given = request.headers.get("authorization", "")
    if given and request.url.path.startswith(MACHINES):
        return _machine(site, given, address_of(request)), False
    found = logins.find_visitor(site, request.cookies.get(cookie_name(request), ""))
    if found is None:
        raise NotLoggedIn
    return found


def _machine(site: Site, given: str, address: str) -> Visitor:
    scheme, _, coded = given.partition(" ")
    try:
        name, _, password = base64.b64decode(coded, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise NotLoggedIn from error
    if scheme.lower() != "basic" or not password:
        raise NotLoggedIn
    known = site.machines.get(site, name, password)
    if known is None:
        if wait := site.tries.wait_s(address):
            raise TooOften(wait)
        known = logins.try_login(site, name, password, address)
        if known is None:
            raise NotLoggedIn
        site.machines.keep(site, known, password)
    return logins.machine(known)


async def _token_is_right(request: Request, visitor: Visitor) -> bool:
    given = request.headers.get(TOKEN_HEADER, "")
    if not given and request.headers.get("content-type", "").startswith(_FORMS):
        field = (await request.form()).get(TOKEN_FIELD, "")
        given = field if isinstance(field, str) else ""
    return right_token(given, visitor.csrf)


def _thing(request: Request) -> str:
    """Return the key of what a route is about: its first parameter that is a key, or the key of the study's UID."""
    given = request.path_params
    keys = [str(value) for name, value in given.items() if name.endswith("_key")]
    return keys[0] if keys else key_of(str(given["study_uid"])) if "study_uid" in given else ""


def _note(site: Site, visitor: Visitor, what: str, on: str, touched: Visitor | None = None) -> None:
    with site.db.begin() as session:
        if what:
            record(session, visitor.name, what, on)
        if touched is not None and touched.login_id:
            logins.touch(session, touched, site.clock())
