"""The conformance statement against real connections: what is proposed to a peer, what the node takes."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from pynetdicom import AE, AllStoragePresentationContexts, evt

from tumorboard.serve.node.call import PeerError, echo
from tumorboard.serve.node.priors import _fetch, find_studies
from tumorboard.serve.node.server import Node
from tumorboard.serve.sending.commitment import ask_commitment
from tumorboard.serve.sending.rule import Outgoing
from tumorboard.serve.sending.store import store
from tumorboard.serve.settings import Fetch, Peer

ROOT = Path(__file__).parents[2]
QR = [f"1.2.840.10008.5.1.4.1.2.2.{n}" for n in (1, 2, 3)]
COMMITMENT = "1.2.840.10008.1.20.1"


@pytest.fixture(scope="module")
def page():
    """The module that writes the page."""
    runpy.run_path(str(ROOT / "scripts" / "make_reference.py"))  # it puts its folder on the path
    return sys.modules["reference_pages.conformance"]


@pytest.fixture
def listener():
    """A peer that remembers what is proposed to it, and takes everything."""
    told = SimpleNamespace(asked=[])

    def keep(event):
        roles = {str(uid) for uid, item in event.assoc.requestor.role_selection.items() if item.scp_role}
        told.asked.append(
            {
                (
                    str(c.abstract_syntax),
                    tuple(map(str, c.transfer_syntax)),
                    "SCP" if c.abstract_syntax in roles else "SCU",
                )
                for c in event.assoc.requestor.requested_contexts
            }
        )
        told.name = event.assoc.requestor.implementation_version_name
        told.longest = event.assoc.requestor.maximum_length

    ae = AE(ae_title="PACS")
    ae.supported_contexts = AllStoragePresentationContexts
    for context in ae.supported_contexts:
        context.scu_role = context.scp_role = True
    for uid in ("1.2.840.10008.1.1", *QR, COMMITMENT):
        ae.add_supported_context(uid)
    on = [(evt.EVT_REQUESTED, keep), (evt.EVT_C_STORE, lambda _: 0), (evt.EVT_N_ACTION, lambda _: (0, None))]
    on += [(evt.EVT_C_FIND, lambda _: iter(()))]
    on += [(evt.EVT_C_GET, lambda _: iter((0,))), (evt.EVT_C_MOVE, lambda _: iter(((None, None),)))]
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=on)
    told.peer = Peer(name="pacs", ae_title="PACS", host="127.0.0.1", port=server.server_address[1])
    yield told
    server.shutdown()


def test_what_is_proposed_is_what_the_page_says(page, listener, settings, db, tmp_path):
    going = []
    for number, made in enumerate(page.made_objects()):
        made.dataset.save_as(tmp_path / f"{number}.dcm", enforce_file_format=True)
        uid = str(made.dataset.SOPInstanceUID)
        going.append(Outgoing(number, made.sop_class, uid, made.transfer_syntax, tmp_path / f"{number}.dcm"))
    peer = listener.peer
    echo(settings, peer)
    find_studies(settings, peer, "P1", "19000101", "20200101")
    _fetch(settings, db, peer, "2.25.1")
    with pytest.raises(PeerError):  # it knows no destination
        _fetch(settings, db, peer.model_copy(update={"fetch": Fetch.MOVE}), "2.25.1")
    assert {said for _, said in store(settings, peer, going)} == {""}
    ask_commitment(settings, db, peer, going)
    assert listener.asked == [set(contexts) for contexts in page.proposed().values()]
    assert listener.name.startswith("TUMORBOARD_")
    assert listener.longest == page.entity(settings, listening=False).maximum_pdu_size


def test_what_the_page_says_is_taken_is_taken(page, settings, db):
    storage = [c for c in page.accepted() if len(c[1]) >= page.MANY]
    with Node(settings, db) as node:
        for some in (storage[:120], storage[120:]):
            ae = AE(ae_title="SCANNER")
            for uid, syntaxes, _ in some:
                ae.add_requested_context(uid, syntaxes[-1])
            assoc = ae.associate("127.0.0.1", node.port, ae_title="TUMORBOARD")
            assert {(str(c.abstract_syntax), str(c.transfer_syntax[0])) for c in assoc.accepted_contexts} == {
                (uid, syntaxes[-1]) for uid, syntaxes, _ in some
            }
            assoc.release()
        ae = AE(ae_title="SCANNER")
        ae.add_requested_context("1.2.840.10008.5.1.4.1.1.4", list(reversed(storage[0][1])))
        ae.add_requested_context("1.2.826.0.1.3680043.2.1")  # a private class
        assoc = ae.associate("127.0.0.1", node.port, ae_title="TUMORBOARD")
        assert [str(c.transfer_syntax[0]) for c in assoc.accepted_contexts] == ["1.2.840.10008.1.2.1"]
        assoc.release()


def test_the_page_has_the_order_of_the_standard_and_every_activity(page):
    text = "\n".join(page.conformance())
    heads = [
        "Overview",
        "Networking",
        "Media interchange",
        "Transformation of DICOM to CDA",
        "Character sets",
        "Security",
    ]
    places = [text.index(f"## {n} {head}") for n, head in enumerate([*heads, "Annexes"], 1)]
    assert places == sorted(places)
    for word in (*page.proposed(), "QIDO-RS", "WADO-RS", "STOW-RS", "UPS-RS", "Encapsulated PDF", "calling_ae_titles"):
        assert word in text
