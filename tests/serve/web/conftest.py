"""A department's pages in one process, with a clock that can be set, users of each role, and a browser of ours."""

from __future__ import annotations

import datetime as dt
import re
import warnings
from dataclasses import dataclass, field

import pytest
from argon2 import PasswordHasher

from tumorboard.serve.data.people import User
from tumorboard.serve.data.words import Role
from tumorboard.serve.web.app import create_app
from tumorboard.serve.web.site import Site

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it would rather have httpx2, which is not packaged widely yet
    from starlette.testclient import TestClient

PASSWORD = "correct horse battery"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    at: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))

    def __call__(self) -> dt.datetime:
        return self.at

    def move(self, **by: float) -> None:
        self.at += dt.timedelta(**by)


class Browser:
    """A browser without scripts: cookies, forms, redirects."""

    def __init__(self, app, address: str, base: str) -> None:
        self.http = TestClient(
            app,
            base_url=base,
            follow_redirects=False,
            raise_server_exceptions=False,
            client=(address, 50000),
        )

    def get(self, path, **how):
        return self.http.get(path, **how)

    def post(self, path, data=None, **how):
        return self.http.post(path, data=data, **how)

    def token(self, path="/worklist") -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', self.get(path).text)
        return found.group(1) if found else ""

    def log_in(self, name="reader", password=PASSWORD):
        return self.post("/login", {"name": name, "password": password, "csrf": self.token("/login")})

    def send(self, path, **fields):
        return self.post(path, {"csrf": self.token(), **fields})


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(settings, db, shelf, clock):
    with db.begin() as session:
        for role in Role:
            session.add(User(name=role.value, password=CHEAP, role=role))
    return create_app(settings, db, shelf, Site(settings, db, shelf, clock))


@pytest.fixture
def browser(app):
    """Open a browser; with a name it is logged in."""

    def go(name: str = "", address: str = "10.0.0.7", base: str = "http://127.0.0.1:8080") -> Browser:
        opened = Browser(app, address, base)
        if name:
            assert opened.log_in(name).status_code == 303
        return opened

    return go


@pytest.fixture
def audit(db):
    """Return what the audit table says: rows of (who, what, on)."""
    from sqlalchemy import select

    from tumorboard.serve.data.people import Audit

    def go():
        with db.read() as session:
            return [(a.who, a.what, a.on) for a in session.scalars(select(Audit).order_by(Audit.id))]

    return go


@pytest.fixture
def study_key(put, make_object) -> str:
    """A study of one object that came in."""
    return put(make_object()).study_key
