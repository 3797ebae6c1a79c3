"""The worklist over HTTP (UPS-RS), to be hung into the department's web application.

Why it exists: a workstation, an archive or a script of another maker asks for work in the standard's own way. Payloads
are DICOM JSON; who may ask is decided by what the application hands in. Subscriptions (11.10 to 11.12) are not there:
they answer 501, so that nobody waits for an event that never comes.

Source: PS3.18 chapter 11 and 8.4 (header fields).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from tumorboard.serve.ups.refused import Refused
from tumorboard.serve.ups.search import read_query
from tumorboard.serve.ups.service import UpsService

MEDIA = "application/dicom+json"
TAKEN = (MEDIA, "application/json")
SERVICE = "tumorboard"
MOST_BYTES = 1_000_000
"""Larger payloads are no work items; chosen."""


def make_router(
    service: Callable[[Request], UpsService],
    may_read: Callable[..., Any],
    may_write: Callable[..., Any],
    prefix: str = "",
) -> APIRouter:
    """Return the routes of the worklist.

    Parameters
    ----------
    service : callable
        Gives the service for a request.
    may_read, may_write : callable
        Dependencies of FastAPI: they return who asks (text, or something with ``name``), or refuse.
    prefix : str
        Path before ``/workitems``.

    Returns
    -------
    APIRouter
        ``/workitems`` and what is below it.

    Examples
    --------
    >>> from tumorboard.serve.ups.store import MemoryWorklist
    >>> router = make_router(lambda request: UpsService(MemoryWorklist()), lambda: "reader", lambda: "reader")
    >>> sorted({route.path for route in router.routes})[:2]
    ['/workitems', '/workitems/{uid}']
    """
    writer = Depends(may_write)

    def remember(request: Request, user: Any = writer) -> None:
        request.state.worklist_user = str(getattr(user, "name", user))

    routes = _Routes(service)
    reads, writes = [Depends(may_read)], [Depends(remember)]
    router = APIRouter(prefix=prefix, tags=["worklist"], default_response_class=Response)
    one = "/workitems/{uid}"
    router.add_api_route("/workitems", routes.search, methods=["GET"], dependencies=reads)
    router.add_api_route("/workitems", routes.create, methods=["POST"], dependencies=writes, status_code=201)
    router.add_api_route(one, routes.retrieve, methods=["GET"], dependencies=reads, name="retrieve_workitem")
    router.add_api_route(one, routes.update, methods=["POST"], dependencies=writes)
    router.add_api_route(f"{one}/state", routes.change_state, methods=["PUT"], dependencies=writes)
    router.add_api_route(f"{one}/cancelrequest", routes.cancel, methods=["POST"], dependencies=writes, status_code=202)
    watchers = f"{one}/subscribers/{{aetitle}}"
    router.add_api_route(
        watchers, routes.subscribe, methods=["POST", "DELETE"], dependencies=reads, include_in_schema=False
    )
    return router


class _Routes:
    """One method a transaction; what it does is the service's business."""

    def __init__(self, service: Callable[[Request], UpsService]) -> None:
        self._service = service

    async def search(self, request: Request) -> Response:
        """Search for work items (11.9)."""

        def work(_: Any) -> Response:
            query = read_query(request.query_params.multi_items())
            found, more = self._service(request).search(query)
            warning = f"There are more than {len(found)} results." if more else ""
            warning = "The fuzzymatching parameter is not supported." if query.fuzzy else warning
            return _told(200 if found else 204, warning, found or None)

        return await _answer(work)

    async def create(self, request: Request) -> Response:
        """Create a work item (11.4)."""

        def work(content: Any) -> Response:
            made = self._service(request).create(content, _bare(request, ("workitem", "AffectedSOPInstanceUID")))
            place = str(request.url_for("retrieve_workitem", uid=made.uid))
            return _told(201, headers={"Location": place, "Content-Location": place})

        return await _answer(work, request)

    async def retrieve(self, uid: str, request: Request) -> Response:
        """Retrieve a work item (11.5)."""
        return await _answer(lambda _: _told(200, content=[self._service(request).retrieve(uid)]))

    async def update(self, uid: str, request: Request) -> Response:
        """Update a work item (11.6)."""

        def work(content: Any) -> Response:
            self._service(request).update(uid, content, _bare(request, ("transaction-uid", "TransactionUID")))
            return _told(200)

        return await _answer(work, request)

    async def change_state(self, uid: str, request: Request) -> Response:
        """Claim, complete or cancel a work item (11.7)."""

        def work(content: Any) -> Response:
            return _told(200, self._service(request).change_state(uid, content, request.state.worklist_user)[1])

        return await _answer(work, request)

    async def cancel(self, uid: str, request: Request) -> Response:
        """Ask for the end of a work item of somebody else (11.8)."""
        return await _answer(lambda c: _told(202, self._service(request).request_cancellation(uid, c)[1]), request)

    async def subscribe(self, uid: str, aetitle: str) -> Response:
        """Say that there are no subscriptions (11.10 to 11.12)."""
        return _told(501, "Subscriptions are not supported.")


async def _answer(work: Callable[[Any], Response], request: Request | None = None) -> Response:
    """Read the payload of a request, do the work in a thread, and turn what is refused into its status."""
    try:
        content = None if request is None else await _payload(request)
        return await run_in_threadpool(work, content)
    except Refused as refused:
        return _told(refused.http, refused.warning)


def _told(status: int, warning: str = "", content: Any = None, headers: dict[str, str] | None = None) -> Response:
    told = dict(headers or {})
    if warning:
        told["Warning"] = f"299 {SERVICE}: {warning}"
    body = None if content is None else json.dumps(content)
    return Response(body, status, told, MEDIA if body is not None else None)


async def _payload(request: Request) -> Any:
    """Return the JSON of a request; None where it has no body."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise Refused(413, f"A work item has at most {MOST_BYTES} bytes.")
    if not body:
        return None
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in TAKEN:
        raise Refused(415, f"The payload is {MEDIA}.")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "The payload is no JSON.") from error


def _bare(request: Request, names: tuple[str, ...]) -> str:
    """Return a UID of the query by one of its names, or as the whole query: ``POST /workitems?1.2.3``."""
    for name in names:
        if name in request.query_params:
            return str(request.query_params[name])
    text = request.url.query
    return text if text and text.replace(".", "").isdigit() else ""
