"""Earlier studies of a patient, found and fetched from the PACS.

Why it exists: change can only be judged against what was before, and that lies in the archive. A PACS that does not
answer never keeps the new study from being worked on; it is told that nothing earlier could be fetched.
Source: PS3.4 C.4.1 (C-FIND), C.4.2 (C-MOVE), C.4.3 (C-GET), Study Root Query/Retrieve.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tumorboard.serve.data.base import now
from tumorboard.serve.data.session import Database
from tumorboard.serve.data.tables import Awaited, Study
from tumorboard.serve.data.words import Origin, StudyState
from tumorboard.serve.log import tell
from tumorboard.serve.node.call import PLAIN, PeerError, calling, status_of
from tumorboard.serve.node.receive import Door
from tumorboard.serve.node.server import stream_to_disk
from tumorboard.serve.settings import DepartmentSettings, Fetch, Peer
from tumorboard.serve.shelf.files import shelf_of
from tumorboard.serve.shelf.room import Room

if TYPE_CHECKING:
    from pydicom import Dataset

FIND, MOVE, GET = (f"1.2.840.10008.5.1.4.1.2.2.{n}" for n in (1, 2, 3))
"""Study Root Query/Retrieve: FIND, MOVE, GET."""

SYNTAXES = (
    *("1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80"),
    *("1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.5"),
)
"""What is asked for with C-GET: plain, lossless JPEG, JPEG-LS, JPEG 2000 (both), JPEG, RLE."""

FIND_CONTEXTS, MOVE_CONTEXTS = [(FIND, PLAIN)], [(MOVE, PLAIN)]
"""What is proposed to a peer that is asked what it has, or to send it to our node."""

MAX_CONTEXTS = 128
"""Presentation contexts of one connection. Source: PS3.8 9.3.2.2 (odd numbers up to 255)."""

LONGEST_MOVE = 4
"""After so many times the patience a study is no longer awaited, should a worker have been killed. Chosen."""

_PENDING = (0xFF00, 0xFF01)
COUNT_KEPT_SECONDS = 10.0
"""How long a peer's count of a study's objects is believed."""


def fetch_priors(settings: DepartmentSettings, db: Database, study_id: int) -> tuple[str, ...]:
    """Fetch the earlier studies of a study's patient that are not on the shelf.

    Parameters
    ----------
    settings : DepartmentSettings
        From where, how many, how far back.
    db : Database
        The department's.
    study_id : int
        The new study.

    Returns
    -------
    tuple of str
        What has to be told: nothing where all went well.
    """
    if not settings.priors.source:
        return ()
    peer = settings.peer(settings.priors.source)
    try:
        wanted = _missing(settings, db, study_id, peer)
        for uid in wanted:
            _fetch(settings, db, peer, uid)
    except PeerError as error:
        tell("worker", "earlier studies not fetched", error=error)
        return (f"earlier studies could not be fetched: {error.got}",)
    return ()


def _missing(settings: DepartmentSettings, db: Database, study_id: int, peer: Peer) -> list[str]:
    """Return the UIDs of the studies to fetch, the latest first."""
    with db.read() as session:
        study = session.get_one(Study, study_id)
        mine, date = study.patient, study.date
        there = {s.uid for s in mine.studies if s.state is not StudyState.PURGED}
        patient_id, issuer = mine.patient_id, mine.issuer
    if issuer.startswith("(") or not date:
        return []
    found = find_studies(settings, peer, patient_id, _since(date, settings.priors.days), date)
    same = [f for f in found if _text(f, "PatientID") == patient_id and _same_issuer(f, issuer)]
    modality = settings.priors.modality
    fit = [f for f in same if modality in _text(f, "ModalitiesInStudy").split("\\") and _text(f, "StudyDate") <= date]
    fit.sort(key=lambda f: (_text(f, "StudyDate"), _text(f, "StudyTime")), reverse=True)
    uids = [_text(f, "StudyInstanceUID") for f in fit]
    return [uid for uid in uids[: settings.priors.studies + 1] if uid and uid not in there][: settings.priors.studies]


def find_studies(settings: DepartmentSettings, peer: Peer, patient_id: str, since: str, until: str) -> list[Dataset]:
    """Ask a peer for the studies of a patient (C-FIND at study level).

    Parameters
    ----------
    settings : DepartmentSettings
        Ours.
    peer : Peer
        Whom to ask.
    patient_id : str
        As the patient is called there.
    since, until : str
        Dates, YYYYMMDD.

    Raises
    ------
    PeerError
        It does not answer.
    """
    from pydicom import Dataset

    asked = Dataset()
    asked.SpecificCharacterSet, asked.QueryRetrieveLevel = "ISO_IR 192", "STUDY"
    asked.PatientID, asked.StudyDate = patient_id, f"{since}-{until}"
    for keyword in ("StudyInstanceUID", "StudyTime", "ModalitiesInStudy", "IssuerOfPatientID"):
        setattr(asked, keyword, "")
    return _find(settings, peer, asked)


def count_objects(settings: DepartmentSettings) -> Callable[[str], int | None] | None:
    """Return what asks the archive how many objects a study has, or None where there is no archive to ask."""
    if not settings.priors.source:
        return None
    peer = settings.peer(settings.priors.source)
    known: dict[str, tuple[float, int | None]] = {}

    def count(uid: str) -> int | None:
        at, told = known.get(uid, (float("-inf"), None))
        if time.monotonic() - at < COUNT_KEPT_SECONDS:
            return told
        known[uid] = (time.monotonic(), _count(settings, peer, uid))
        if len(known) > 1000:
            known.pop(next(iter(known)))
        return known[uid][1]

    return count


def _count(settings: DepartmentSettings, peer: Peer, uid: str) -> int | None:
    from pydicom import Dataset

    asked = Dataset()
    asked.QueryRetrieveLevel, asked.StudyInstanceUID, asked.NumberOfStudyRelatedInstances = "STUDY", uid, ""
    try:
        found = _find(settings, peer, asked)
    except PeerError:
        return None
    numbers = [_text(f, "NumberOfStudyRelatedInstances") for f in found if _text(f, "StudyInstanceUID") == uid]
    return int(numbers[0]) if numbers and numbers[0].isdigit() else None


def get_contexts() -> list[tuple[str, list[str]]]:
    """Return what is proposed for C-GET: retrieval, and the storage classes in which the peer may answer.

    Every class that has room: some archives end a retrieval at the first object that they cannot send.

    Examples
    --------
    >>> len(get_contexts()) <= MAX_CONTEXTS
    True
    """
    from pynetdicom import StoragePresentationContexts

    classes = [str(context.abstract_syntax) for context in StoragePresentationContexts][: MAX_CONTEXTS - 1]
    return [(GET, PLAIN), *((sop_class, list(SYNTAXES)) for sop_class in classes)]


def _find(settings: DepartmentSettings, peer: Peer, asked: Dataset) -> list[Dataset]:
    found = []
    with calling(settings, peer, FIND_CONTEXTS) as assoc:
        for answer, identifier in assoc.send_c_find(asked, FIND):
            status = status_of(answer, peer)
            if status in _PENDING and identifier is not None:
                found.append(identifier)
            elif status not in (*_PENDING, 0x0000):
                raise PeerError("a search", got=f"a refusal ({status:#06x})", where=peer.name)
    return found


def _fetch(settings: DepartmentSettings, db: Database, peer: Peer, uid: str) -> None:
    from pydicom import Dataset

    asked = Dataset()
    asked.QueryRetrieveLevel, asked.StudyInstanceUID = "STUDY", uid
    if peer.fetch is Fetch.MOVE:
        _move(settings, db, peer, asked)
    else:
        _get(settings, db, peer, asked)


def _move(settings: DepartmentSettings, db: Database, peer: Peer, asked: Dataset) -> None:
    """Let the peer send a study to our node, which is told that we asked for it."""
    uid, patience = str(asked.StudyInstanceUID), settings.node.patience_seconds
    with db.begin() as session:
        session.merge(Awaited(study_uid=uid, until=now() + dt.timedelta(seconds=LONGEST_MOVE * patience)))
    try:
        with calling(settings, peer, MOVE_CONTEXTS, patience_s=patience) as assoc:
            _last(assoc.send_c_move(asked, settings.node.ae_title, MOVE), peer)
    finally:
        with db.begin() as session:
            session.query(Awaited).filter_by(study_uid=uid).delete()


def _get(settings: DepartmentSettings, db: Database, peer: Peer, asked: Dataset) -> None:
    """Take a study over the connection on which we ask for it."""
    from pynetdicom import evt

    shelf = shelf_of(settings)
    stream_to_disk(shelf.incoming)
    door = Door(db, shelf, Room(db, shelf, settings.keep))

    def store(event: Any) -> int:
        uids = str(event.request.AffectedSOPClassUID), str(event.request.AffectedSOPInstanceUID)
        return int(door.receive(Path(event.dataset_path), uids, sender=peer.ae_title, origin=Origin.PRIOR)[0])

    with calling(settings, peer, get_contexts(), serves=True, handlers=[(evt.EVT_C_STORE, store)]) as assoc:
        _last(assoc.send_c_get(asked, GET), peer)


def _last(answers: Any, peer: Peer) -> None:
    """Follow a retrieval to its end; warnings (some objects failed, 0xB000) are taken as they are."""
    status = None
    for answer, _ in answers:
        status = status_of(answer, peer)
    if status is None or (status not in (0x0000, 0xB000)):
        raise PeerError("earlier studies", got=f"a refusal ({status or 0:#06x})", where=peer.name)


def _since(date: str, days: int) -> str:
    try:
        return (dt.datetime.strptime(date, "%Y%m%d") - dt.timedelta(days=days)).strftime("%Y%m%d")
    except (ValueError, OverflowError):
        return "19000101"


def _same_issuer(found: Dataset, issuer: str) -> bool:
    """Whether an answer may be of our patient: an issuer that both name must be the same."""
    named = _text(found, "IssuerOfPatientID")
    return not named or not issuer or named == issuer


def _text(dataset: Any, keyword: str) -> str:
    from tumorboard.io.dicom.header import text

    return text(dataset, keyword)
