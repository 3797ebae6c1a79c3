"""STOW-RS: each object is told its fate; whatever a body is, nothing is left behind and nothing falls over."""

from __future__ import annotations

import io
import zlib

import pytest
from sqlalchemy import func, select

from tumorboard.serve.data.people import Audit
from tumorboard.serve.data.tables import Instance, Study
from tumorboard.serve.data.words import StudyState
from tumorboard.serve.web.dicomweb.parts import Parts
from tumorboard.serve.web.refusals import BadRequest

AUTH = ("researcher", "correct horse battery")
KIND = 'multipart/related; type="application/dicom"; boundary=XX'


def as_bytes(ds) -> bytes:
    out = io.BytesIO()
    ds.save_as(out, enforce_file_format=True)
    return out.getvalue()


def body(*parts: bytes, headers: bytes = b"Content-Type: application/dicom\r\n") -> bytes:
    return b"".join(b"--XX\r\n" + headers + b"\r\n" + part + b"\r\n" for part in parts) + b"--XX--\r\n"


@pytest.fixture
def store(browser):
    def go(content, path="/dicomweb/studies", kind=KIND, auth=AUTH, **headers):
        return browser().http.post(path, content=content, auth=auth, headers={"content-type": kind, **headers})

    return go


def reasons(got):
    said = got.json()
    return [i["00081197"]["Value"][0] for tag in ("00081198", "0008119A") for i in said.get(tag, {}).get("Value", ())]


def count(db) -> int:
    with db.read() as session:
        return session.scalar(select(func.count()).select_from(Instance))


@pytest.fixture(autouse=True)
def _nothing_is_left(shelf):
    yield
    assert list(shelf.incoming.iterdir()) == []


def test_objects_are_stored_and_named(store, db, make_object):
    got = store(body(as_bytes(make_object(1)), as_bytes(make_object(2))))
    assert got.status_code == 200
    said = got.json()["00081199"]["Value"]
    assert [i["00081155"]["Value"] for i in said] == [["2.25.1.1.1"], ["2.25.1.1.2"]]
    assert said[0]["00081190"]["Value"][0].endswith("/dicomweb/studies/2.25.1/series/2.25.1.1/instances/2.25.1.1.1")
    assert count(db) == 2
    with db.read() as session:
        assert session.scalars(select(Study)).one().state is StudyState.RECEIVING
        assert "objects stored" in session.scalars(select(Audit.what)).all()


def test_one_bad_object_takes_no_other_with_it(store, db, make_object):
    other = as_bytes(make_object(1, study="2"))
    got = store(body(as_bytes(make_object(1)), b"nothing", other), path="/dicomweb/studies/2.25.1")
    assert got.status_code == 202
    assert reasons(got) == [0xA900, 0xC000]
    assert count(db) == 1


def test_nothing_but_bad_objects_is_a_conflict(store, db):
    got = store(body(b"nothing", b""))
    assert (got.status_code, reasons(got)) == (409, [0xC000, 0xC000])
    assert count(db) == 0


def test_a_duplicate_is_a_success(store, db, make_object):
    for _ in range(2):
        assert store(body(as_bytes(make_object(1)))).status_code == 200
    assert count(db) == 1


def test_a_part_that_is_too_large_is_refused_alone(settings, db, shelf, app, make_object, store):
    web = app.site.settings.web
    small = app.site.settings.model_copy(update={"web": web.model_copy(update={"max_part_mib": 0.01})})
    object.__setattr__(app.site, "settings", small)
    got = store(body(bytes(20_000), as_bytes(make_object(1))))
    assert (got.status_code, reasons(got), count(db)) == (202, [0xA700], 1)


def test_a_body_that_is_too_large_is_refused_while_it_comes(db, app, store):
    web = app.site.settings.web
    small = app.site.settings.model_copy(update={"web": web.model_copy(update={"max_body_mib": 0.1})})
    object.__setattr__(app.site, "settings", small)

    def endless():
        yield b"--XX\r\nContent-Type: application/dicom\r\n\r\n"
        for _ in range(1000):
            yield bytes(65_536)

    assert store(endless()).status_code == 413
    assert store(bytes(200_000)).status_code == 413
    assert count(db) == 0


def test_a_full_disk_is_told(store, db, app, make_object, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tumorboard.serve.shelf.files.Shelf.place", full)
    got = store(body(as_bytes(make_object(1))))
    assert (got.status_code, reasons(got), count(db)) == (409, [0xA700], 0)
    monkeypatch.setattr(type(app.site.room), "has", lambda *_: False)
    assert store(body(as_bytes(make_object(1)))).status_code == 503


def test_a_locked_database_is_told(store, db, make_object, monkeypatch):
    monkeypatch.setattr("tumorboard.serve.web.dicomweb.stow.admit", lambda *_, **__: 1 / 0)
    assert reasons(store(body(as_bytes(make_object(1))))) == [0x0110]


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"", KIND, 400),
        (b"no boundary here", KIND, 400),
        (b"--XX\r\nContent-Type: application/dicom\r\n\r\nabc", KIND, 400),
        (b"--XX--\r\n", KIND, 400),
        (b"--XX\r\n" + b"a" * 9000 + b": b\r\n\r\n", KIND, 400),
        (b"--XX\r\n" + b"a: b\r\n" * 50 + b"\r\n", KIND, 400),
        (b"--XX\r\n\xff\xfe: b\r\n\r\nx\r\n--XX--", KIND, 400),
        (body(b"x"), "application/dicom", 415),
        (body(b"x"), "text/plain; boundary=XX", 415),
        (body(b"x"), 'multipart/related; type="application/dicom+json"; boundary=XX', 415),
        (body(b"x"), 'multipart/related; type="application/dicom"', 400),
        (body(b"x"), "multipart/related; boundary=" + "b" * 71, 400),
        (body(b"x", headers=b"Content-Encoding: gzip\r\n"), KIND, 415),
        (body(b"x", headers=b"Content-Transfer-Encoding: base64\r\n"), KIND, 415),
    ],
)
def test_bodies_that_are_none(store, db, content, kind, status):
    assert store(content, kind=kind).status_code == status
    assert count(db) == 0


def test_a_deflated_object_that_unfolds_without_end_is_refused(store, db, make_object):
    """A zip bomb: a data set of the deflated transfer syntax, kilobytes that hold a gigabyte."""
    ds = make_object(1)
    ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1.99"
    raw = as_bytes(ds)
    start = raw.index(b"UL\x04\x00") + 4
    head = raw[: start + 4 + int.from_bytes(raw[start : start + 4], "little")]
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(700)) + packer.flush()
    assert len(bomb) < 1_000_000
    got = store(body(head + bomb))
    assert (got.status_code, reasons(got), count(db)) == (409, [0xC000], 0)


@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")
@pytest.mark.parametrize("evil", [b"../../../x", b"/etc/x/y/z", b"';DROP t--", b"<b>x</b>..", b"..\\..\\..\\x"])
@pytest.mark.parametrize("told", [b"2.25.1.1.1", b"2.25.1.1\0\0", b"Secret^P1\x20"])
def test_identifiers_that_are_paths_or_statements_are_text(store, make_object, shelf, tmp_path, settings, told, evil):
    """Whether such an object is refused or kept, its place on the disk follows from digests alone."""
    raw = as_bytes(make_object(1, PatientName="Secret^P1 "))
    got = store(body(raw.replace(told.rstrip(b"\0"), evil[: len(told.rstrip(b"\0"))])))
    assert got.status_code in (200, 409)
    assert [path for path in tmp_path.iterdir() if path != settings.home] == []
    kept = [path.relative_to(shelf.root) for path in shelf.root.rglob("*") if path.is_file()]
    assert len(kept) == (got.status_code == 200)
    assert all(len(path.parts) == 3 and "".join(path.with_suffix("").parts).isalnum() for path in kept)


def test_readers_may_not_store(store, db, make_object):
    assert store(body(as_bytes(make_object(1))), auth=("reader", AUTH[1])).status_code == 403
    assert count(db) == 0


def test_a_browser_may_not_store_without_its_token(browser, db, make_object):
    visitor = browser("researcher")
    sent = {"content": body(as_bytes(make_object(1))), "headers": {"content-type": KIND}}
    assert visitor.http.post("/dicomweb/studies", **sent).status_code == 403
    assert count(db) == 0
    sent["headers"]["x-csrf-token"] = visitor.token()
    assert visitor.http.post("/dicomweb/studies", **sent).status_code == 200


@pytest.mark.parametrize("size", [1, 3, 7, 64])
def test_a_body_may_come_in_any_pieces(tmp_path, size):
    came = []
    parts = Parts(b"XX", tmp_path, 1000, lambda part: came.append(part.file.read_bytes()))
    whole = body(b"one", b"\r\n--X two --", b"")
    for start in range(0, len(whole), size):
        parts.write(whole[start : start + size])
    parts.close()
    assert came == [b"one", b"\r\n--X two --", b""]


def test_a_body_that_breaks_off_leaves_no_file(tmp_path):
    parts = Parts(b"XX", tmp_path, 1000, lambda _: None)
    parts.write(b"--XX\r\na: b\r\n\r\nabc")
    assert len(list(tmp_path.glob("stow-*"))) == 1
    with pytest.raises(BadRequest):
        parts.close()
    parts.drop()
    assert list(tmp_path.glob("stow-*")) == []
