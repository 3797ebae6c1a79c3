"""What every request passes: headers, host, pace, sizes; and what is said of it in the log."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path

import pytest

import tumorboard.serve.web
from tumorboard.serve.web.guard import CSP, SMALL

WEB = Path(tumorboard.serve.web.__file__).parent
PAGES = [
    "/login",
    "/worklist",
    "/surveillance",
    "/audit",
    "/settings",
    "/nothing/here",
    "/static/style.css",
    "/health/live",
]


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_has_its_headers(browser, path):
    got = browser("admin").get(path)
    assert got.headers["content-security-policy"] == CSP
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["x-frame-options"] == "DENY"
    assert got.headers["referrer-policy"] == "same-origin"
    assert got.headers["cache-control"] == ("public, max-age=86400" if "static" in path else "no-store")
    assert "server" not in got.headers


def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere():
    assert "unsafe" not in CSP
    assert "http" not in CSP
    assert "default-src 'none'" in CSP


def test_no_template_needs_what_the_policy_forbids():
    for template in (WEB / "templates").glob("*.html"):
        text = template.read_text(encoding="utf-8")
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|\|\s*safe", text), template.name
        assert not re.search(r"""(src|href|action)=["']?(https?:)?//""", text), template.name
        for script in re.findall(r"<script[^>]*>(.*?)</script>", text, re.DOTALL):
            assert not script.strip(), template.name


def test_vendored_files_have_their_licences():
    vendor = WEB / "static" / "vendor"
    assert (vendor / "htmx.LICENSE").read_text(encoding="utf-8").startswith("Zero-Clause BSD")
    assert all(path.stat().st_size < 3_000_000 for path in vendor.iterdir())


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/vendor/../../app.py",
        "/static//etc/passwd",
        "/static/",
        "/studies/..%2f..%2fetc/report.html",
        "/studies/%2e%2e/report.pdf",
        "/patients/..%2F..",
        "/room/..%2f..%2fetc",
    ],
)
def test_no_address_leads_out_of_the_house(browser, path):
    got = browser("admin").get(path)
    assert got.status_code in (303, 404)
    assert "root:" not in got.text
    assert "create_app" not in got.text


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "", "[", "127.0.0.1.evil.example"])
def test_another_host_name_does_not_lead_here(browser, host):
    """DNS rebinding: a page elsewhere whose name is pointed at this machine."""
    assert browser().get("/login", headers={"host": host}).status_code == 421


def test_a_host_name_of_the_proxy_does(settings, db, shelf, browser):
    from starlette.testclient import TestClient

    from tumorboard.serve.web.app import create_app

    web = settings.web.model_copy(update={"names": ("rad.example",)})
    app = create_app(settings.model_copy(update={"web": web}), db, shelf)
    assert TestClient(app, base_url="https://rad.example").get("/login").status_code == 200
    assert TestClient(app, base_url="https://rad2.example").get("/login").status_code == 421


def test_a_large_body_is_refused_before_it_is_read(browser):
    visitor = browser("reader")
    got = visitor.post("/worklist", {"text": "x" * (SMALL + 1)}, headers={"x-csrf-token": visitor.token()})
    assert got.status_code == 413


def test_a_body_without_a_length_is_refused_while_it_comes(browser):
    visitor = browser("reader")
    seen = []

    def endless():
        for n in range(10_000):
            seen.append(n)
            yield b"text=" + b"x" * 65_536

    headers = {"x-csrf-token": visitor.token(), "content-type": "application/x-www-form-urlencoded"}
    assert visitor.http.post("/worklist", content=endless(), headers=headers).status_code == 413


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "gzip, identity"])
def test_a_coded_body_is_refused(browser, coding):
    """A few kilobytes may unfold into gigabytes."""
    visitor = browser("reader")
    headers = {"x-csrf-token": visitor.token(), "content-encoding": coding}
    assert visitor.post("/worklist", {"text": "x"}, headers=headers).status_code == 415


def test_an_address_that_asks_too_often_must_wait(settings, db, shelf, clock):
    from starlette.testclient import TestClient

    from tumorboard.serve.web.app import create_app
    from tumorboard.serve.web.site import Site

    slow = settings.model_copy(update={"web": settings.web.model_copy(update={"requests_per_minute": 10})})
    http = TestClient(create_app(slow, db, shelf, Site(slow, db, shelf, clock)), base_url="http://127.0.0.1")
    got = [http.get("/health/live").status_code for _ in range(12)]
    assert got == [200] * 10 + [429] * 2
    clock.move(seconds=60)
    assert http.get("/health/live").status_code == 200


def test_a_defect_of_ours_says_nothing(browser, monkeypatch):
    def broken(*_):
        raise RuntimeError("Secret^Name in /srv/secret")

    monkeypatch.setattr("tumorboard.serve.web.pages.surveillance.watch", broken)
    got = browser("reader").get("/surveillance")
    assert (got.status_code, got.text) == (500, "Internal Server Error")
    assert got.headers["content-security-policy"] == CSP


def test_the_log_holds_patterns_of_addresses_and_no_identifier(browser, study_key, make_object, caplog):
    ds = make_object()
    visitor = browser("reader")
    with caplog.at_level(logging.INFO, logger="tumorboard.serve"):
        visitor.get(f"/dicomweb/studies/{ds.StudyInstanceUID}/metadata")
        visitor.get(f"/dicomweb/studies?PatientName={ds.PatientName}&PatientID={ds.PatientID}")
        visitor.send("/worklist", text=str(ds.PatientName))
        visitor.get(f"/studies/{study_key}")
    said = json.dumps([record.__dict__.get("said", {}) for record in caplog.records])
    assert "/dicomweb/studies/{study_uid}/metadata" in said
    for secret in (ds.StudyInstanceUID, "Secret", ds.StudyDate, visitor.http.cookies["tumorboard"]):
        assert str(secret) not in said
    assert {"method", "route", "status", "ms", "bytes"} <= set(caplog.records[-1].__dict__["said"])


def test_reports_may_use_their_own_style_and_nothing_else(tmp_path):
    from tumorboard.serve.web.pages.files import report_policy

    page = tmp_path / "report.html"
    page.write_text("<style>a { color: red }</style><p style='color: blue'>")
    policy = report_policy(page)
    assert "'sha256-" in policy
    assert "unsafe" not in policy
    assert policy.endswith("sandbox")
