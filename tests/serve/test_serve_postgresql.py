"""The data layer on a PostgreSQL server of the tests' own, on loopback (slow): the same tests as on a file."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SAME = ("test_serve_data.py", "test_serve_shelf.py", "test_serve_queue.py", "test_serve_jobs.py", "test_serve_life.py")
"""Tests that ask for nothing of a file."""

pytestmark = pytest.mark.slow


def programs() -> Path:
    """Return the folder of initdb and pg_ctl; skips where there is none."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not folders or not (folders[-1] / "pg_ctl").exists():
        pytest.skip("PostgreSQL is not installed: apt-get install --no-install-recommends postgresql")
    pytest.importorskip("psycopg", reason="pip install 'tumorboard[postgresql]'")
    return folders[-1]


@pytest.fixture(scope="module")
def server():
    """Address of a server that keeps nothing, ending in a slash; it never runs as root."""
    folder, place = programs(), Path(tempfile.mkdtemp(prefix="tumorboard-server-"))
    as_whom: list[str] = []
    if os.geteuid() == 0:
        try:
            user = pwd.getpwnam("postgres")
        except KeyError:
            pytest.skip("a server refuses to run as root, and there is no user postgres")
        os.chown(place, user.pw_uid, user.pw_gid)
        as_whom = [shutil.which("runuser") or "runuser", "-u", "postgres", "--"]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    def do(program, *words):
        command = [*as_whom, str(folder / program), *words]
        subprocess.run(command, check=True, timeout=120, cwd="/", stdout=subprocess.DEVNULL)

    do("initdb", "-D", str(place / "data"), "-U", "tests", "-A", "trust", "--no-sync", "-E", "UTF8")
    options = f"-c listen_addresses=127.0.0.1 -c fsync=off -c unix_socket_directories='' -p {port}"
    start = ("-D", str(place / "data"), "-l", str(place / "log"), "-w", "-o", options, "start")
    do("pg_ctl", *start)
    try:
        yield f"postgresql+psycopg://tests@127.0.0.1:{port}/"
    finally:
        do("pg_ctl", "-D", str(place / "data"), "-m", "immediate", "-w", "stop")
        shutil.rmtree(place)


def test_the_data_layer_does_on_a_server_what_it_does_in_a_file(server):
    words = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *(str(HERE / name) for name in SAME)]
    told = os.environ | {"TUMORBOARD_TEST_POSTGRESQL": server}
    how = {"capture_output": True, "text": True, "timeout": 1800, "cwd": HERE.parents[1]}
    done = subprocess.run(words, check=False, env=told, **how)
    assert done.returncode == 0, done.stdout[-6000:]
    assert "skipped" not in done.stdout.splitlines()[-1]
