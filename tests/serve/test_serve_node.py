"""The node over real sockets: who may send, what is kept, what is said when something is wrong."""

from __future__ import annotations

import datetime as dt
import gc
import json
import socket
import threading
from pathlib import Path

import pytest
from pynetdicom import AE, ALL_TRANSFER_SYNTAXES
from sqlalchemy import func, select

from tumorboard.errors import OutputError
from tumorboard.serve.data.tables import Instance, Study
from tumorboard.serve.data.words import Origin
from tumorboard.serve.log import set_up_logs
from tumorboard.serve.node.call import PeerError, echo
from tumorboard.serve.node.server import Node, accepted
from tumorboard.serve.settings import NodeSettings, Peer

MR, VERIFICATION = "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.1.1"


@pytest.fixture
def start(settings, db):
    """Start a node, with other settings where given; stopped at the end."""
    running = []

    def go(**changed):
        node_settings = NodeSettings.model_validate(settings.node.model_dump() | changed)
        node = Node(settings.model_copy(update={"node": node_settings}), db)
        node.start()
        running.append(node)
        return node

    yield go
    for node in running:
        node.stop(patience_s=1)


@pytest.fixture
def call():
    """Connect to a node; every connection is ended."""
    opened = []

    def go(node, title="SCANNER", called="TUMORBOARD", syntaxes=("1.2.840.10008.1.2.1",), sop_class=MR, **how):
        ae = AE(ae_title=title)
        ae.add_requested_context(sop_class, list(syntaxes))
        ae.add_requested_context(VERIFICATION)
        ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 10
        assoc = ae.associate("127.0.0.1", node.port, ae_title=called, **how)
        opened.append(assoc)
        return assoc

    yield go
    for assoc in opened:
        if assoc.is_established:
            assoc.release()
        elif assoc.dul.socket is not None and assoc.dul.socket.socket is not None:
            assoc.dul.socket.socket.close()  # pynetdicom leaves that of a refused call to the collector


def count(db, table=Instance):
    with db.read() as session:
        return session.scalar(select(func.count()).select_from(table))


def test_it_answers_and_keeps_what_it_says_it_keeps(start, call, db, make_object, shelf):
    assoc = call(start())
    assert assoc.send_c_echo().Status == 0
    assert [assoc.send_c_store(make_object(n)).Status for n in (3, 1, 2, 1)] == [0, 0, 0, 0]
    assert count(db) == 3
    assert list(shelf.incoming.iterdir()) == []
    with db.read() as session:
        assert session.scalars(select(Instance.sender)).all() == ["SCANNER"] * 3


def test_every_transfer_syntax_and_every_storage_class_is_taken(start, call):
    node = start()
    assert len(accepted()) > 150
    assert all(set(syntaxes) == set(ALL_TRANSFER_SYNTAXES) for _, syntaxes in accepted()[:-1])
    for syntax in ALL_TRANSFER_SYNTAXES[::4]:
        assoc = call(node, syntaxes=[syntax])
        assert {c.abstract_syntax for c in assoc.accepted_contexts} == {MR, VERIFICATION}, syntax
        assoc.release()


def test_who_is_not_on_the_list_is_refused(start, call):
    node = start(calling_ae_titles=["SCANNER"])
    assert call(node).is_established
    assert call(node, title="STRANGER").is_rejected


def test_who_calls_another_is_refused(start, call):
    assert call(start(), called="OTHER").is_rejected


def test_more_connections_than_allowed_are_refused_for_now(start, call):
    node = start(max_associations=2)
    first, second, third = (call(node) for _ in range(3))
    assert (first.is_established, second.is_established, third.is_rejected) == (True, True, True)


def test_a_full_disk_is_told_and_nothing_is_lost(start, call, db, make_object, monkeypatch, shelf):
    node = start()
    assoc = call(node)
    monkeypatch.setattr("tumorboard.serve.shelf.files.Shelf.free_bytes", lambda _: -1)
    assert assoc.send_c_store(make_object(1)).Status == 0xA700
    monkeypatch.undo()
    monkeypatch.setattr("tumorboard.serve.shelf.admit.force", lambda *_: None)
    assert assoc.send_c_store(make_object(1)).Status == 0
    assert (count(db), list(shelf.incoming.iterdir())) == (1, [])


@pytest.mark.parametrize("error", [OSError(28, "No space left"), RuntimeError("anything")])
def test_a_disk_that_fills_up_while_writing_is_told(start, call, db, make_object, monkeypatch, error):
    def fail(*_):
        raise error

    assoc = call(start())
    monkeypatch.setattr("tumorboard.serve.shelf.files.Shelf.place", fail)
    assert assoc.send_c_store(make_object(1)).Status == 0xA700
    assert count(db, Study) == 0


def test_the_quota_counts(settings, db, call, make_object):
    keep = settings.keep.model_copy(update={"disk_gib": 1e-7})
    with Node(settings.model_copy(update={"keep": keep}), db) as node:
        assoc = call(node)
        assert assoc.send_c_store(make_object(1)).Status == 0xA700
        assoc.release()  # the node waits for open ones


def test_an_object_that_is_not_what_the_request_says_is_refused(start, call, db, make_object):
    assoc = call(start())
    ds = make_object(1)
    real = assoc.dimse.send_msg

    def lie(primitive, context_id):
        primitive.AffectedSOPInstanceUID = "2.25.4711"
        real(primitive, context_id)

    assoc.dimse.send_msg = lie
    assert assoc.send_c_store(ds).Status == 0xA900
    assert count(db) == 0


def test_an_object_without_a_study_is_not_understood(start, call, db, make_object):
    ds = make_object(1)
    del ds.StudyInstanceUID
    assert call(start()).send_c_store(ds).Status == 0xC000
    assert count(db) == 0


def test_a_connection_cut_in_the_middle_leaves_nothing_and_harms_nobody(start, call, db, make_object, shelf):
    node = start()
    whole, cut = call(node), call(node)
    big = make_object(1, Rows=600, Columns=600)
    big.PixelData = bytes(720_000)
    sock = cut.dul.socket.socket
    threading.Timer(0.02, lambda: sock.shutdown(socket.SHUT_RDWR)).start()
    cut.send_c_store(big)
    assert whole.send_c_store(make_object(2)).Status == 0
    assert whole.send_c_store(big).Status == 0
    whole.release()
    node.stop()
    node.tend()
    assert count(db) == 2
    assert list(shelf.incoming.iterdir()) == []


def test_what_was_sent_in_part_is_closed_and_removed(start, call, make_object, shelf, wait_until):
    node = start()
    cut = call(node)
    big = make_object(1, Rows=600, Columns=600)
    big.PixelData = bytes(720_000)
    sending = cut.dul.socket.send
    sent = []

    def send_some(bytestream):
        if len(sent) < 3:  # the command, and two of the parts
            sent.append(bytestream)
            sending(bytestream)

    cut.dul.socket.send = send_some
    threading.Thread(target=lambda: cut.send_c_store(big), daemon=True).start()
    wait_until(lambda: any(shelf.incoming.iterdir()))
    (part,) = (str(path) for path in shelf.incoming.iterdir())
    assert part in _open_files()
    node.tend()
    assert part in _open_files()  # it may still come
    cut.dul.socket.socket.shutdown(socket.SHUT_RDWR)
    wait_until(lambda: node.connections == 0)
    node.tend()
    assert list(shelf.incoming.iterdir()) == []
    assert not any(name.startswith(part) for name in _open_files())


def _open_files():
    return {str(path.readlink()) for path in Path("/proc/self/fd").iterdir() if path.exists()}


def test_two_senders_of_one_study_at_one_time(start, call, db, make_object):
    node = start()
    said = []

    def send(numbers):
        assoc = call(node)
        said.extend(assoc.send_c_store(make_object(n, series=str(1 + n % 3))).Status for n in numbers)
        assoc.release()

    threads = [threading.Thread(target=send, args=(range(a, 30, 2),)) for a in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(said), set(said), count(db), count(db, Study)) == (30, {0}, 30, 1)


def test_an_object_that_we_had_moved_here_is_an_earlier_one(start, call, db, make_object):
    assoc = call(start())
    assoc.send_c_store(make_object(1), originator_aet="TUMORBOARD", originator_id=1)
    with db.read() as session:
        assert session.scalars(select(Instance.origin)).one() is Origin.PRIOR


def test_an_address_in_use_is_told(start, settings, db):
    port = start().port
    taken = settings.model_copy(update={"node": settings.node.model_copy(update={"port": port})})
    with pytest.raises(OutputError, match=r"node\.port"):
        Node(taken, db).start()


def test_logs_name_nobody(start, call, settings, make_object):
    set_up_logs(settings.logs, "node")
    ds = make_object(1)
    assoc = call(start())
    assoc.send_c_store(ds)
    assoc.send_c_store(make_object(1, pixels=9))
    broken = make_object(2)
    del broken.StudyInstanceUID
    assoc.send_c_store(broken)
    text = (settings.logs / "node.jsonl").read_text()
    events = [json.loads(line)["event"] for line in text.splitlines()]
    assert {"listening", "object stored", "object not understood"} <= set(events)
    for secret in (ds.PatientID + "^", "Secret", ds.StudyDate, ds.StudyInstanceUID + ".", ds.AccessionNumber):
        assert secret not in text


# --- encrypted --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """A certificate signed by itself, its key, and itself as the authority."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "node")])
    at = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(at - dt.timedelta(days=1))
        .not_valid_after(at + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    (folder / "c.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "k.pem").write_bytes(private)
    return {"certificate": folder / "c.pem", "key": folder / "k.pem", "authority": folder / "c.pem"}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # sockets of refused calls are left open
def test_encrypted_both_sides_show_certificates(start, call, settings, certificates):
    node = start(tls=certificates)
    asking = settings.model_copy(update={"node": node.settings.node})
    peer = Peer(name="other", ae_title="TUMORBOARD", host="127.0.0.1", port=node.port, tls=True)
    echo(asking, peer)
    with socket.create_connection(("127.0.0.1", node.port)):  # one that says nothing holds up nobody
        echo(asking, peer)
    assert not call(node).is_established
    with pytest.raises(PeerError, match="no answer"):
        echo(asking, peer.model_copy(update={"tls": False}))
    gc.collect()
