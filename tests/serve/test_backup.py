"""Backup and restore: what was there comes back byte for byte, while the service writes, and nothing else ever does."""

import hashlib
import io
import json
import sqlite3
import stat
import tarfile
import threading

import pytest

from tumorboard.errors import FileFormatError, InputError, OutputError
from tumorboard.serve.backup import MANIFEST, backup, restore
from tumorboard.serve.data.session import open_database
from tumorboard.serve.data.tables import Patient
from tumorboard.serve.settings import DepartmentSettings
from tumorboard.serve.settings_file import FILE, write_settings_file


@pytest.fixture
def home(tmp_path):
    settings = DepartmentSettings(home=tmp_path / "home")
    database = open_database(settings)
    with database.begin() as session:
        session.add(Patient(patient_id="D1"))
    database.close()
    for name, content in (
        ("shelf/s/i.dcm", b"\x00" * 3000),
        ("cases/sub-1/report.html", b"<p>"),
        ("edits/1.nii.gz", b""),
    ):
        path = settings.home / name
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    (settings.home / "logs").mkdir()
    (settings.home / "logs" / "web.jsonl").write_text("{}")
    return settings


def files(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_what_was_there_comes_back(home, tmp_path):
    made = backup(home, tmp_path / "kept.tar")
    other = DepartmentSettings(home=tmp_path / "other")
    assert restore(tmp_path / "kept.tar", other) == made
    before, after = files(home.home), files(other.home)
    kept = {n for n in before if not n.startswith(("logs", "department.sqlite"))}
    assert {n: after[n] for n in kept} == {n: before[n] for n in kept}
    assert set(after) == kept | {"department.sqlite"}
    database = open_database(other)
    with database.read() as session:
        assert [p.patient_id for p in session.query(Patient)] == ["D1"]
    database.close()
    assert stat.S_IMODE((tmp_path / "kept.tar").stat().st_mode) == 0o600
    assert not list(tmp_path.glob(".tumorboard-tmp-*"))


def test_settings_that_are_there_stay_and_else_come_back(home, tmp_path):
    write_settings_file(home.home)
    backup(home, tmp_path / "kept.tar")
    other, third = (DepartmentSettings(home=tmp_path / name) for name in ("other", "third"))
    other.home.mkdir()
    (other.home / FILE).write_text("# mine")
    for settings in (other, third):
        restore(tmp_path / "kept.tar", settings)
    assert (other.home / FILE).read_text() == "# mine"
    assert (third.home / FILE).read_text() == (home.home / FILE).read_text()
    assert (other.home / "shelf" / "s" / "i.dcm").exists()


def test_a_backup_that_is_taken_while_rows_are_written_is_whole(home, tmp_path):
    stop = threading.Event()
    wrote = []

    def work():
        with sqlite3.connect(home.home / "department.sqlite", timeout=30) as database:
            database.execute("CREATE TABLE pairs (a INTEGER, b INTEGER)")
            while not stop.is_set():
                n = len(wrote)
                with database:
                    database.execute("INSERT INTO pairs VALUES (?, ?)", (n, -n))
                wrote.append(n)

    writer = threading.Thread(target=work)
    writer.start()
    try:
        while len(wrote) < 5:
            pass
        backup(home, tmp_path / "kept.tar")
    finally:
        stop.set()
        writer.join()
    other = DepartmentSettings(home=tmp_path / "other")
    restore(tmp_path / "kept.tar", other)
    with sqlite3.connect(other.home / "department.sqlite") as database:
        rows = database.execute("SELECT a, b FROM pairs ORDER BY a").fetchall()
    assert rows == [(n, -n) for n in range(len(rows))]
    assert len(rows) >= 5


def rewritten(source, target, change):
    """Copy a backup; ``change`` gives another name and content of each entry, or None to leave it out."""
    with tarfile.open(source) as read, tarfile.open(target, "w") as write:
        for entry in read:
            changed = change(entry.name, read.extractfile(entry).read())
            for name, content in [changed] if isinstance(changed, tuple) else changed or []:
                told = tarfile.TarInfo(name)
                told.size = len(content)
                write.addfile(told, io.BytesIO(content))


def flipped(name, content):
    return (name, b"\x01" + content[1:]) if name.endswith(".dcm") else (name, content)


def dropped(name, content):
    return None if name.endswith(".dcm") else (name, content)


def added(name, content):
    return [(name, content), ("shelf/more.dcm", b"x")] if name.endswith(".dcm") else (name, content)


def climbing(name, content):
    return ("../outside.dcm" if name.endswith(".dcm") else name, content)


def absolute(name, content):
    return ("/tmp/outside.dcm" if name.endswith(".dcm") else name, content)


def elsewhere(name, content):
    return ("logs/web.jsonl" if name.endswith(".dcm") else name, content)


def unlisted(name, content):
    return None if name == MANIFEST else (name, content)


def after_the_list(name, content):
    return [(name, content), ("shelf/late.dcm", b"x")] if name == MANIFEST else (name, content)


def damaged(name, content):
    if name != "department.sqlite":
        return name, content
    return name, content[:1024] + b"\xff" * (len(content) - 1024)


CHANGES = [flipped, dropped, added, climbing, absolute, elsewhere, unlisted, after_the_list, damaged]


@pytest.mark.parametrize("change", CHANGES, ids=lambda c: c.__name__)
def test_one_byte_that_differs_and_nothing_is_restored(home, tmp_path, change):
    backup(home, tmp_path / "kept.tar")
    rewritten(tmp_path / "kept.tar", tmp_path / "bad.tar", change)
    other = DepartmentSettings(home=tmp_path / "below" / "other")
    with pytest.raises(FileFormatError):
        restore(tmp_path / "bad.tar", other)
    assert list((tmp_path / "below").rglob("*")) == []
    assert not (tmp_path / "outside.dcm").exists()


def test_a_database_that_is_damaged_and_listed_so_is_refused(home, tmp_path):
    path = home.home / "queue.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE t (a TEXT)")
        database.executemany("INSERT INTO t VALUES (?)", [("x" * 500,) for _ in range(100)])
    backup(home, tmp_path / "kept.tar")

    def both(name, content):
        if name == "queue.sqlite":
            return name, content[:8192] + b"\xff" * (len(content) - 8192)
        if name == MANIFEST:
            told = json.loads(content)
            with tarfile.open(tmp_path / "kept.tar") as read:
                bad = both("queue.sqlite", read.extractfile("queue.sqlite").read())[1]
            told["files"]["queue.sqlite"] = {"size": len(bad), "sha256": hashlib.sha256(bad).hexdigest()}
            return name, json.dumps(told).encode()
        return name, content

    rewritten(tmp_path / "kept.tar", tmp_path / "bad.tar", both)
    with pytest.raises(FileFormatError, match="damaged"):
        restore(tmp_path / "bad.tar", DepartmentSettings(home=tmp_path / "other"))


@pytest.mark.parametrize("content", [b"", b"no tar", b"\x00" * 10240])
def test_what_is_no_backup_is_refused(tmp_path, content):
    (tmp_path / "x.tar").write_bytes(content)
    with pytest.raises(FileFormatError):
        restore(tmp_path / "x.tar", DepartmentSettings(home=tmp_path / "other"))
    assert not (tmp_path / "other").exists()


def test_a_link_is_refused(home, tmp_path):
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        entry = tarfile.TarInfo("shelf/a.dcm")
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(entry)
    with pytest.raises(FileFormatError):
        restore(tmp_path / "x.tar", DepartmentSettings(home=tmp_path / "other"))


def test_where_it_may_go_and_whence_it_may_come(home, tmp_path):
    backup(home, tmp_path / "kept.tar")
    with pytest.raises(OutputError, match="new file"):
        backup(home, tmp_path / "kept.tar")
    with pytest.raises(OutputError, match="outside"):
        backup(home, home.home / "kept.tar")
    with pytest.raises(InputError, match="empty home"):
        restore(tmp_path / "kept.tar", home)
    with pytest.raises(InputError, match="home"):
        backup(DepartmentSettings(home=tmp_path / "none"), tmp_path / "other.tar")
    elsewhere = home.model_copy(update={"database": "postgresql+psycopg://db/tumorboard"})
    with pytest.raises(InputError, match="pg_dump"):
        backup(elsewhere, tmp_path / "other.tar")
