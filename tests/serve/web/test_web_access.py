"""Each role × each route, as a table; a route without a row fails, and so does a row without a route."""

from __future__ import annotations

import pytest

from tumorboard.serve.data.words import Role
from tumorboard.serve.web.doors import door_of

PUBLIC = None
READER, RESEARCHER, ADMIN = Role
STUDY = "/dicomweb/studies/{study_uid}"
SERIES = f"{STUDY}/series/{{series_uid}}"
OBJECT = f"{SERIES}/instances/{{sop_uid}}"
WORK = "/dicomweb/workitems"

TABLE: dict[tuple[str, str], Role | None] = {
    ("GET", "/"): PUBLIC,
    ("GET", "/health/live"): PUBLIC,
    ("GET", "/health/ready"): PUBLIC,
    ("GET", "/metrics"): PUBLIC,  # to this machine; to admins elsewhere, see test_web_ops
    ("GET", "/static/{name:path}"): PUBLIC,
    ("GET", "/login"): PUBLIC,
    ("POST", "/login"): PUBLIC,
    ("POST", "/logout"): READER,
    ("GET", "/worklist"): READER,
    ("POST", "/worklist"): READER,
    ("POST", "/worklist/poll"): READER,
    ("POST", "/studies/{study_key}/again"): ADMIN,
    ("GET", "/patients/{patient_key}"): READER,
    ("GET", "/studies/{study_key}"): READER,
    ("GET", "/studies/{study_key}/report.html"): READER,
    ("GET", "/studies/{study_key}/report.pdf"): READER,
    ("GET", "/studies/{study_key}/pictures/{number}"): READER,
    ("GET", "/studies/{study_key}/course"): READER,
    ("GET", "/audit"): ADMIN,
    ("POST", "/audit"): ADMIN,
    ("GET", "/surveillance"): READER,
    ("GET", "/settings"): ADMIN,
    ("GET", "/dicomweb/studies"): READER,
    ("GET", "/dicomweb/series"): READER,
    ("GET", "/dicomweb/instances"): READER,
    ("POST", "/dicomweb/studies"): RESEARCHER,
    ("GET", STUDY): READER,
    ("POST", STUDY): RESEARCHER,
    ("GET", f"{STUDY}/series"): READER,
    ("GET", f"{STUDY}/instances"): READER,
    ("GET", f"{STUDY}/metadata"): READER,
    ("GET", SERIES): READER,
    ("GET", f"{SERIES}/instances"): READER,
    ("GET", f"{SERIES}/metadata"): READER,
    ("GET", f"{SERIES}/thumbnail"): READER,
    ("GET", OBJECT): READER,
    ("GET", f"{OBJECT}/metadata"): READER,
    ("GET", f"{OBJECT}/bulkdata/{{tag}}"): READER,
    ("GET", f"{OBJECT}/frames/{{numbers}}"): READER,
    ("GET", f"{OBJECT}/frames/{{number}}/rendered"): READER,
    ("GET", f"{OBJECT}/rendered"): READER,
    ("GET", f"{OBJECT}/thumbnail"): READER,
    ("GET", WORK): READER,
    ("POST", WORK): READER,
    ("GET", f"{WORK}/{{uid}}"): READER,
    ("POST", f"{WORK}/{{uid}}"): READER,
    ("PUT", f"{WORK}/{{uid}}/state"): READER,
    ("POST", f"{WORK}/{{uid}}/cancelrequest"): READER,
    ("POST", f"{WORK}/{{uid}}/subscribers/{{aetitle}}"): READER,
    ("DELETE", f"{WORK}/{{uid}}/subscribers/{{aetitle}}"): READER,
    ("GET", "/room/static/{version}/{name:path}"): PUBLIC,
    ("GET", "/room/{study_key}"): READER,
    ("GET", "/room/{study_key}/state"): READER,
    ("GET", "/room/{study_key}/progress"): READER,
    ("GET", "/room/{study_key}/image/{what}"): READER,
    ("GET", "/room/{study_key}/beside/{other_key}/image/{what}"): READER,
    ("GET", "/room/{study_key}/edits/{number}/mask"): READER,
    ("POST", "/room/{study_key}/edits"): READER,
    ("POST", "/room/{study_key}/decision"): READER,
    ("PUT", "/room/{study_key}/teaching"): ADMIN,
}
WAYS = {"study_key": "0" * 16, "other_key": "1" * 16, "patient_key": "0" * 12, "number": "1", "numbers": "1"}
WAYS |= {"tag": "7FE00010", "name:path": "style.css", "version": "1", "what": "T1C"}


def _served(app):
    return {(method, route.path): door_of(route).least for route in app.routes for method in route.methods}


def _address(path: str) -> str:
    for name, value in WAYS.items():
        path = path.replace("{" + name + "}", value)
    return "/".join("2.25.999" if part.startswith("{") else part for part in path.split("/"))


def test_every_route_has_a_row_and_its_door_says_the_same(app):
    assert _served(app) == TABLE


@pytest.mark.parametrize("role", [None, *Role], ids=lambda role: role.value if role else "nobody")
def test_each_role_on_each_route(app, browser, role):
    """Whoever may is not refused (what is asked for need not be there); whoever may not is."""
    visitor = browser(role.value if role else "")
    token = visitor.token() if role else "x"
    order = list(Role)
    for (method, path), least in TABLE.items():
        if path in ("/logout", "/login"):
            continue
        got = visitor.http.request(method, _address(path), headers={"x-csrf-token": token})
        where = f"{method} {path} as {role}: {got.status_code}"
        if least is PUBLIC:
            assert got.status_code not in (401, 403) or path == "/metrics", where
        elif role is None:
            redirected = got.status_code == 303 and got.headers["location"].startswith("/login")
            assert redirected or got.status_code == 401, where
        elif order.index(role) < order.index(least):
            assert got.status_code == 403, where
        else:
            assert got.status_code not in (401, 403), where
            # subscriptions are told to be not implemented, as PS3.18 11.10 and 11.11 allow
            assert got.status_code < 500 or (got.status_code == 501 and "/subscribers/" in path), where


def test_a_refusal_for_lack_of_a_role_is_noted(browser, audit):
    assert browser("reader").get("/audit").status_code == 403
    assert ("reader", "refused: audit opened", "") in audit()


def test_a_route_without_a_door_stops_the_start():
    from fastapi import APIRouter

    from tumorboard.serve.web.doors import checked_routes

    router = APIRouter()
    router.get("/open")(lambda: None)
    with pytest.raises(RuntimeError, match="/open"):
        checked_routes([router])
    outer = APIRouter()
    outer.include_router(router)
    with pytest.raises(RuntimeError, match="without a door"):
        checked_routes([outer])
