"""5,000 damaged PDUs: the node lives, answers on all its places, leaves nothing behind, and writes nowhere else."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pynetdicom import AE, evt
from sqlalchemy import func, select

from tumorboard.serve.data.tables import Instance

pytestmark = pytest.mark.slow

MR, VERIFICATION = "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.1.1"
PDUS, SEED, SENDERS, PLACES = 5000, 20261122, 8, 10
IDLE_SECONDS, ANSWER_SECONDS, QUIET_SECONDS = 20, 3.0, 0.5
OUTSIDE = "../../../../outside"
"""A name that leads out of the store; put where UIDs stand."""


@pytest.fixture
def node_process(settings, wait_until):
    """A node as a process of its own, working in an empty folder: (process, port, folder); it says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    file = settings.home / "department.toml"
    told = f"port = {port}\nidle_seconds = {IDLE_SECONDS}\nmax_associations = {PLACES}"
    file.write_text(f'home = "."\n[node]\n{told}\n[keep]\nreserve_gib = 0\n')
    work = settings.home.parent / "work"
    work.mkdir()
    code = "from tumorboard.cli.main import main; main()"
    said = settings.home / "said.txt"
    start = [sys.executable, "-c", code, "serve", "node", "--settings", str(file)]
    with said.open("w") as heard:
        env = {**os.environ, "TMPDIR": str(work)}
        process = subprocess.Popen(start, cwd=work, env=env, stderr=heard)
    wait_until(lambda: _connect(port).close() is None)
    yield process, port, work
    process.terminate()
    process.wait(60)
    assert said.read_text() == ""  # what libraries warn of names values


@pytest.fixture
def recorded(make_object) -> list[bytes]:
    """The PDUs of a sender that asks for a connection, sends an object, and releases."""
    sent = bytearray()
    ae = AE()
    ae.add_supported_context(MR)
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, lambda _: 0)])
    try:
        ae = AE(ae_title="SCANNER")
        ae.add_requested_context(MR, "1.2.840.10008.1.2.1")
        heard = [(evt.EVT_DATA_SENT, lambda event: sent.extend(event.data))]
        assoc = ae.associate("127.0.0.1", server.server_address[1], ae_title="TUMORBOARD", evt_handlers=heard)
        assoc.send_c_store(make_object(1))
        assoc.release()
    finally:
        server.shutdown()
    return list(_split(bytes(sent)))


def test_damaged_pdus_do_not_harm_the_node(node_process, recorded, db, settings, shelf, make_object, wait_until):
    """Bounded: 5,000 PDUs on about 400 connections, eight at a time."""
    process, port, work = node_process
    assert [pdu[0] for pdu in recorded] == [1, 4, 4, 5]
    wait_until(lambda: _echoes(port, PLACES) == PLACES)
    plans = list(_connections(recorded, random.Random(SEED)))
    where = f"seed {SEED}, {len(plans)} connections"
    _send_all(port, plans[:40])
    warm = _settled(process.pid)
    _send_all(port, plans[40:])
    assert process.poll() is None, where
    wait_until(lambda: _echoes(port, PLACES) == PLACES)
    end = _settled(process.pid)
    assert end[0] <= warm[0] + 1, f"threads: {warm[0]} before, {end[0]} after; {where}"
    assert end[1] <= warm[1], f"files: {warm[1]} before, {end[1]} after; {where}"
    _store(port, make_object(99))
    assert list(work.iterdir()) == [], where
    assert set(settings.home.parent.iterdir()) == {settings.home, work}, where
    assert shelf.sweep(older_s=-1) <= len(plans), where  # what a connection was cut in the middle of
    assert list(shelf.incoming.iterdir()) == [], where
    kept = [path for path in shelf.root.rglob("*") if path.is_file()]
    with db.read() as session:
        assert len(kept) == session.scalar(select(func.count()).select_from(Instance)) > 100, where
    assert all(path.suffix == ".dcm" and path.stem.isalnum() for path in kept), where


# --- what is sent -----------------------------------------------------------------------------------------------------


def _connections(recorded: list[bytes], chance: random.Random) -> Iterator[tuple[bytes, bytes]]:
    """Yield how each connection is opened and what follows: anything damaged, or many objects damaged within."""
    opening, command, data, release = recorded
    count = 0
    while count < PDUS:
        first = opening
        if chance.random() < 0.4:
            first = _damaged(opening, chance) if chance.random() < 0.5 else opening
            pdus = [_damaged(chance.choice((command, data, release)), chance) for _ in range(chance.randint(1, 3))]
        else:
            pairs = ((_within(command, chance), _within(data, chance)) for _ in range(10))
            pdus = [pdu for n, pair in enumerate(pairs) for pdu in _numbered(count + n, *pair)]
        count += len(pdus) + (first != opening)
        yield first, b"".join(pdus)


def _numbered(number: int, *pdus: bytes) -> list[bytes]:
    """Make of each an object of its own, where the name of the recorded one is still whole."""
    return [pdu.replace(b"2.25.1.1.1", b"2.25.%05d" % (10_000 + number)) for pdu in pdus]


def _damaged(pdu: bytes, chance: random.Random) -> bytes:
    return chance.choice(DAMAGES)(bytearray(pdu), chance)


def _within(pdu: bytes, chance: random.Random) -> bytes:
    """Damage what is said, and leave the envelope (PS3.8 9.3.5), so that the connection goes on."""
    changed = bytearray(pdu)
    if changed[11] & 1:  # a command: its identifiers
        return _leading_out(changed, chance)
    envelope, inner = changed[:12], changed[12:]
    inner = bytearray(chance.choice((_flipped, _leading_out, _other_inner_length))(inner, chance))
    return bytes(envelope + inner)


def _flipped(pdu: bytearray, chance: random.Random) -> bytes:
    for _ in range(chance.randint(1, 8)):
        pdu[chance.randrange(len(pdu))] = chance.randrange(256)
    return bytes(pdu)


def _other_kind(pdu: bytearray, chance: random.Random) -> bytes:
    pdu[0] = chance.randrange(256)
    return bytes(pdu)


def _other_length(pdu: bytearray, chance: random.Random) -> bytes:
    """The PDU says that it is longer or shorter than it is (PS3.8 9.3.1)."""
    length = chance.choice([0, 1, len(pdu) - 7, len(pdu) + 100, 2**31 - 1, 2**32 - 1])
    return bytes(pdu[:2]) + struct.pack(">L", length) + bytes(pdu[6:])


def _other_inner_length(pdu: bytearray, chance: random.Random) -> bytes:
    """A length within, of an item, a fragment or an element, says something else."""
    at = chance.randrange(6, max(7, len(pdu) - 4))
    pdu[at : at + 4] = chance.choice([b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\xff\xff"])
    return bytes(pdu)


def _cut(pdu: bytearray, chance: random.Random) -> bytes:
    return bytes(pdu[: chance.randrange(1, len(pdu))])


def _noise(pdu: bytearray, chance: random.Random) -> bytes:
    noise = chance.randbytes(chance.randint(1, 400))
    return struct.pack(">BBL", chance.randint(1, 7), 0, len(noise)) + noise


def _leading_out(pdu: bytearray, chance: random.Random) -> bytes:
    """UIDs and names that are paths, statements or markup, of the same length as what stood there."""
    evil = chance.choice([OUTSIDE, "/etc/passwd", "'; DROP TABLE study;--", "<script>alert(1)</script>", "\0" * 9])
    told = chance.choice((b"2.25.1.1.1", b"2.25.1.1", b"2.25.1", b"Secret^P1"))
    return bytes(pdu.replace(told, evil.encode()[: len(told)].ljust(len(told), b"/")))


def _twice(pdu: bytearray, chance: random.Random) -> bytes:
    at = chance.randrange(6, len(pdu))
    body = bytes(pdu[6:]) + bytes(pdu[at:])
    return bytes(pdu[:2]) + struct.pack(">L", len(body)) + body


Damage = Callable[[bytearray, random.Random], bytes]
DAMAGES: tuple[Damage, ...] = (
    *(_flipped, _flipped, _other_kind, _other_length, _other_inner_length, _other_inner_length),
    *(_cut, _noise, _leading_out, _twice),
)


def _split(stream: bytes) -> Iterator[bytes]:
    while stream:
        length = 6 + int.from_bytes(stream[2:6], "big")
        yield stream[:length]
        stream = stream[length:]


# --- sending and looking ----------------------------------------------------------------------------------------------


def _connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def _send(port: int, first: bytes, more: bytes) -> None:
    """Open, send, and hear the node out before the own half is ended, so that it handles all that came."""
    with contextlib.suppress(OSError), _connect(port) as sock:
        sock.sendall(first)
        sock.settimeout(ANSWER_SECONDS)
        with contextlib.suppress(TimeoutError):
            sock.recv(65_536)
        sock.settimeout(QUIET_SECONDS)
        sock.sendall(more)
        with contextlib.suppress(TimeoutError):
            while sock.recv(65_536):
                pass
        sock.settimeout(30)
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(65_536):
            pass


def _send_all(port: int, plans: list[tuple[bytes, bytes]]) -> None:
    with ThreadPoolExecutor(SENDERS) as pool:
        list(pool.map(lambda plan: _send(port, *plan), plans))


def _settled(pid: int) -> tuple[int, int]:
    """Return the least that a process holds within the time that a silent connection is kept."""
    looks = []
    end = time.monotonic() + IDLE_SECONDS + 5
    while time.monotonic() < end:
        looks.append(_held(pid))
        time.sleep(0.5)
    return min(threads for threads, _ in looks), min(files for _, files in looks)


def _echoes(port: int, count: int = 1) -> int:
    """Return how many of so many connections at one time are answered a C-ECHO."""
    ae = AE(ae_title="SCANNER")
    ae.add_requested_context(VERIFICATION)
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 20
    opened = [ae.associate("127.0.0.1", port, ae_title="TUMORBOARD") for _ in range(count)]
    good = sum(assoc.is_established and assoc.send_c_echo().Status == 0 for assoc in opened)
    for assoc in opened:
        if assoc.is_established:
            assoc.release()
        elif assoc.dul.socket is not None and assoc.dul.socket.socket is not None:
            assoc.dul.socket.socket.close()  # pynetdicom leaves that of a refused call to the collector
    return good


def _store(port: int, ds) -> None:
    ae = AE(ae_title="SCANNER")
    ae.add_requested_context(MR, "1.2.840.10008.1.2.1")
    assoc = ae.associate("127.0.0.1", port, ae_title="TUMORBOARD")
    assert assoc.send_c_store(ds).Status == 0
    assoc.release()


def _held(pid: int) -> tuple[int, int]:
    """Return what a process holds: threads, and open files and sockets but for the database's, which are pooled."""
    place = Path(f"/proc/{pid}")
    held = []
    for file in (place / "fd").iterdir():
        with contextlib.suppress(OSError):  # closed meanwhile
            held.append(file.readlink().name)
    return len(list((place / "task").iterdir())), sum("sqlite" not in name for name in held)
