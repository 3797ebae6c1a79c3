"""The application: every router, behind the guard, with a door before each route.

Why it exists: one place says what is served; nothing is served that is not listed here.
"""

from __future__ import annotations

import contextlib
import importlib
import json
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from tumorboard import __version__
from tumorboard.errors import OutputError
from tumorboard.serve.data.session import Database, open_database
from tumorboard.serve.log import set_up_logs, tell
from tumorboard.serve.settings import DepartmentSettings
from tumorboard.serve.shelf.files import Shelf, shelf_of
from tumorboard.serve.web.doors import checked_routes
from tumorboard.serve.web.guard import Guard
from tumorboard.serve.web.refusals import answer_refusals
from tumorboard.serve.web.site import Site

ROUTERS = (
    "tumorboard.serve.web.ops",
    "tumorboard.serve.web.static",
    "tumorboard.serve.web.pages.login",
    "tumorboard.serve.web.pages.worklist",
    "tumorboard.serve.web.pages.patient",
    "tumorboard.serve.web.pages.study",
    "tumorboard.serve.web.pages.files",
    "tumorboard.serve.web.pages.audit",
    "tumorboard.serve.web.pages.surveillance",
    "tumorboard.serve.web.pages.settings",
    "tumorboard.serve.web.dicomweb.qido",
    "tumorboard.serve.web.dicomweb.wado",
    "tumorboard.serve.web.dicomweb.pictures",
    "tumorboard.serve.web.dicomweb.stow",
)
"""Modules whose ``router`` is served."""

BESIDE = ("tumorboard.serve.ups.routes", "tumorboard.serve.room.routes")
"""Modules of other rooms whose ``router`` is served too."""

CONCURRENT = 200
"""Connections at one time; more are answered 503."""


def create_app(settings: DepartmentSettings, db: Database, shelf: Shelf, site: Site | None = None) -> Guarded:
    """Return the application, guarded.

    Parameters
    ----------
    settings, db, shelf : DepartmentSettings, Database, Shelf
        The department's.
    site : Site, optional
        With another clock, in tests.

    Returns
    -------
    Guarded
        An ASGI application.

    Raises
    ------
    RuntimeError
        A route has no door.
    """
    inner = FastAPI(
        title="tumorboard",
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    inner.state.site = site or Site(settings, db, shelf)
    names = [*ROUTERS, *(name for name in BESIDE if _is_there(name))]
    routers = [importlib.import_module(name).router for name in names]
    routes = checked_routes(routers)
    for router in routers:
        inner.include_router(router)
    inner.state.rooms = any(route.path.startswith("/room/") for route in routes)
    answer_refusals(inner)
    return Guarded(inner, routes)


class Guarded:
    """The application with its guard around it.

    Parameters
    ----------
    inner : FastAPI
        The application itself.
    routes : list of APIRoute
        Everything that is served; each has a door.
    """

    def __init__(self, inner: FastAPI, routes: list[APIRoute]) -> None:
        self.inner, self.site, self.routes = inner, inner.state.site, routes
        self._guard = Guard(inner, self.site)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        await self._guard(scope, receive, send)


def run_web(settings: DepartmentSettings) -> None:
    """Serve the pages until the process is told to stop.

    Parameters
    ----------
    settings : DepartmentSettings
        Where to listen; certificates.

    Raises
    ------
    OutputError
        The address is in use, or not ours.
    """
    import uvicorn

    set_up_logs(settings.logs, "web")
    db = open_database(settings)
    with contextlib.closing(db):
        listener = _bound(settings)
        tell("web", "listening", port=listener.getsockname()[1], tls=settings.web.tls is not None)
        config = uvicorn.Config(create_app(settings, db, shelf_of(settings)), **server_options(settings))
        if _is_there("tumorboard.serve.room.assets"):
            importlib.import_module("tumorboard.serve.room.assets").warm()
        uvicorn.Server(config).run(sockets=[listener])
        tell("web", "stopped")


def server_options(settings: DepartmentSettings) -> dict[str, Any]:
    """Return how uvicorn is set up: quiet, bounded, encrypted where told."""
    told = settings.web
    tls = {} if told.tls is None else {"ssl_certfile": str(told.tls.certificate), "ssl_keyfile": str(told.tls.key)}
    return {
        "access_log": False,
        "log_config": None,
        "server_header": False,
        "date_header": True,
        "proxy_headers": bool(told.names),
        "forwarded_allow_ips": "127.0.0.1",
        "limit_concurrency": CONCURRENT,
        "timeout_keep_alive": 20,
        "timeout_graceful_shutdown": 10,
        "h11_max_incomplete_event_size": 32 * 1024,
        "http": "h11",
        "ws": "none",
        "lifespan": "off",
        **tls,
    }


def openapi_text(app: Guarded) -> str:
    """Return the OpenAPI document, which is served to nobody; tests read it."""
    return json.dumps(app.inner.openapi())


def _bound(settings: DepartmentSettings) -> Any:
    import socket

    told = settings.web
    family = socket.AF_INET6 if ":" in told.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((told.host, told.port))
    except OSError as error:
        listener.close()
        got, remedy = type(error).__name__, "choose another web.port or web.host"
        raise OutputError("an address to listen on", got=got, where="web", remedy=remedy) from error
    return listener


def _is_there(name: str) -> bool:
    from importlib.util import find_spec

    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False
