"""The listening part of the node: C-ECHO and C-STORE, from those who may, as many at a time as we can serve.

Why it exists: it must run for years. Objects stream to the disk instead of filling memory; a sender waits for our
answer before it sends the next object, which is all the back-pressure that is needed; connections beyond the limit are
refused as temporary. Source: PS3.7 9.1 (C-STORE, C-ECHO), PS3.8 9.3 (association rejection).
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from tumorboard import __version__
from tumorboard.errors import OutputError
from tumorboard.io.dicom.uids import uid_from
from tumorboard.serve.data.session import Database
from tumorboard.serve.data.words import Origin
from tumorboard.serve.log import silence, tell
from tumorboard.serve.node.commitment import PUSH_MODEL, heard
from tumorboard.serve.node.reap import is_over, reap, tidy
from tumorboard.serve.node.receive import Door
from tumorboard.serve.node.tls import context_of
from tumorboard.serve.settings import DepartmentSettings
from tumorboard.serve.shelf.files import shelf_of
from tumorboard.serve.shelf.room import Room

if TYPE_CHECKING:
    from pynetdicom import AE
    from pynetdicom.association import Association
    from pynetdicom.events import Event
    from pynetdicom.transport import ThreadedAssociationServer

MAX_PDU = 131_072
"""Largest PDU that we take, in bytes; larger ones than the usual 16 KiB carry slices with fewer steps. Chosen."""


EXPLICIT = "1.2.840.10008.1.2.1"
"""Explicit little endian, taken before any other that a caller offers: it tells the kind of every value."""

BACKLOG = 128
"""Connections that may wait to be taken. Chosen."""


IMPLEMENTATION = uid_from("DICOM implementation")
IMPLEMENTATION_NAME = f"TUMORBOARD_{__version__}"[:16]
"""Who we say we are when a connection is opened. Source: PS3.7 D.3.3.2."""


class Node:
    """The department's DICOM node; ``with Node(settings, db) as node`` runs it.

    Parameters
    ----------
    settings : DepartmentSettings
        Where it listens, who may send.
    db : Database
        Open.
    """

    def __init__(self, settings: DepartmentSettings, db: Database) -> None:
        self.settings = settings
        shelf = shelf_of(settings)
        self.door = Door(db, shelf, Room(db, shelf, settings.keep))
        self._server: ThreadedAssociationServer | None = None
        self._met: list[Association] = []

    @property
    def port(self) -> int:
        """The port it listens on."""
        if self._server is None:
            raise OutputError("a node that runs", got="one that was not started", where="node")
        return int(self._server.server_address[1])

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return 0 if self._server is None else len(self._server.active_associations)

    def tend(self) -> None:
        """End connections that broke inside, and clear up after ended ones; to be called every second or so."""
        if self._server is not None:
            reap(self._server.active_associations)
        for assoc in [met for met in self._met if is_over(met)]:
            tidy(assoc)
            self._met.remove(assoc)

    def start(self) -> None:
        """Begin to listen.

        Raises
        ------
        OutputError
            The address is in use or not ours.
        InputError
            The certificates cannot be used.
        """
        from pynetdicom import evt

        stream_to_disk(self.door.shelf.incoming)
        silence()
        self.door.shelf.sweep(older_s=0)  # of a process that was killed; nobody was told that they are safe
        told = self.settings.node
        handlers: list[Any] = [
            (evt.EVT_CONN_OPEN, lambda event: self._met.append(event.assoc)),
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_N_EVENT_REPORT, self._report),
            (evt.EVT_REJECTED, _rejected),
        ]
        tls = context_of(told.tls, server=True)
        try:
            server = entity(self.settings, listening=True).start_server(
                (told.host, told.port),
                block=False,
                evt_handlers=handlers,
                ssl_context=tls,
            )
        except OSError as error:
            got, remedy = type(error).__name__, "choose another node.port or node.host"
            raise OutputError("an address to listen on", got=got, where="node", remedy=remedy) from error
        if server is None or server.socket is None:
            raise OutputError("a node that listens", got="none", where="node")
        server.socket.listen(BACKLOG)
        self._server = server
        tell("node", "listening", port=self.port, tls=tls is not None)

    def stop(self, patience_s: float = 10.0) -> None:
        """Take no new connection, let the running ones end, and stop."""
        if self._server is None:
            return
        ending = self._server
        ending.ae.maximum_associations = 0
        _wait_for_none(ending, patience_s)
        ending.shutdown()
        self._server = None
        tell("node", "stopped")

    def _store(self, event: Event) -> int:
        request: Any = event.request
        uids = str(request.AffectedSOPClassUID), str(request.AffectedSOPInstanceUID)
        sender = str(event.assoc.requestor.ae_title)
        asked_for = request.MoveOriginatorApplicationEntityTitle == self.settings.node.ae_title
        origin = Origin.PRIOR if asked_for else Origin.RECEIVED
        return int(self.door.receive(Path(event.dataset_path), uids, sender=sender, origin=origin)[0])

    def _report(self, event: Event) -> tuple[int, None]:
        return heard(self.door.db, event)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def entity(settings: DepartmentSettings, *, listening: bool) -> AE:
    """Return our application entity with its limits.

    Parameters
    ----------
    settings : DepartmentSettings
        Title, limits, who may send.
    listening : bool
        With everything that it takes; an asking one adds what it asks for.
    """
    from pydicom.uid import UID
    from pynetdicom import AE

    told = settings.node
    ae = AE(ae_title=told.ae_title)
    ae.implementation_class_uid, ae.implementation_version_name = UID(IMPLEMENTATION), IMPLEMENTATION_NAME
    ae.maximum_pdu_size = MAX_PDU
    ae.acse_timeout = ae.connection_timeout = min(30.0, told.idle_seconds)
    ae.network_timeout = ae.dimse_timeout = told.idle_seconds
    if listening:
        ae.maximum_associations = told.max_associations
        ae.require_called_aet = True
        ae.require_calling_aet = list(told.calling_ae_titles)
        for context in accepted():
            ae.add_supported_context(*context)
        ae.add_supported_context(PUSH_MODEL, scu_role=False, scp_role=True)  # the archive calls to report
    return ae


def accepted() -> list[tuple[Any, list[Any]]]:
    """Return what the listening node takes: every storage class in every transfer syntax, and verification.

    Examples
    --------
    >>> len(accepted()) > 150
    True
    """
    from pynetdicom import ALL_TRANSFER_SYNTAXES, DEFAULT_TRANSFER_SYNTAXES, AllStoragePresentationContexts
    from pynetdicom.sop_class import Verification  # type: ignore[attr-defined] # made at run time

    every = [EXPLICIT, *(syntax for syntax in ALL_TRANSFER_SYNTAXES if syntax != EXPLICIT)]
    stored = [(context.abstract_syntax, every) for context in AllStoragePresentationContexts]
    return [*stored, (Verification, list(DEFAULT_TRANSFER_SYNTAXES))]


def stream_to_disk(folder: Path) -> None:
    """Let objects stream into a folder of the shelf's disk instead of memory, in all connections of this process."""
    from pynetdicom import _config

    folder.mkdir(parents=True, exist_ok=True)
    tempfile.tempdir = str(folder)
    _config.STORE_RECV_CHUNKED_DATASET = True
    _config.LOG_HANDLER_LEVEL = "none"  # what it logs repeats headers


def _rejected(_event: Event) -> None:
    tell("node", "connection refused")


def _wait_for_none(server: Any, patience_s: float) -> None:
    import time

    end = time.monotonic() + patience_s
    while server.active_associations and time.monotonic() < end:
        time.sleep(0.05)
