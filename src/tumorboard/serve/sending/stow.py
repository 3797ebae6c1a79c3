"""Sending by STOW-RS. Source: PS3.18 10.5 (Store Transaction).

Why it exists: some archives are reached over HTTPS alone.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tumorboard.serve.node.call import PeerError
from tumorboard.serve.settings import DepartmentSettings, Peer

if TYPE_CHECKING:
    from tumorboard.serve.sending.rule import Outgoing

TIMEOUT_SECONDS = 120.0
_FAILED, _UID, _REASON = "00081198", "00081155", "00081197"


def stow(settings: DepartmentSettings, peer: Peer, going: Sequence[Outgoing]) -> list[tuple[Outgoing, str]]:
    """Send objects in one request; see :func:`tumorboard.serve.sending.store.store`.

    Raises
    ------
    PeerError
        The peer does not answer, or not as a store service does.
    """
    import httpx

    border = secrets.token_hex(16)
    body = b"".join(
        f"--{border}\r\nContent-Type: application/dicom\r\n\r\n".encode() + one.file.read_bytes() + b"\r\n"
        for one in going
    )
    kind = f'multipart/related; type="application/dicom"; boundary={border}'
    headers = {"Content-Type": kind, "Accept": "application/dicom+json"}
    verify = settings.node.tls.authority if settings.node.tls and settings.node.tls.authority else None
    try:
        with httpx.Client(timeout=TIMEOUT_SECONDS, verify=_trust(verify), trust_env=False) as client:
            answer = client.post(
                f"{peer.dicomweb}/studies", content=body + f"--{border}--\r\n".encode(), headers=headers
            )
    except httpx.HTTPError as error:
        raise PeerError("a peer that answers", got=type(error).__name__, where=peer.name) from error
    if answer.status_code not in (200, 202, 409):
        raise PeerError("a peer that stores", got=f"HTTP status {answer.status_code}", where=peer.name)
    failed = _failures(answer, peer)
    return [(one, failed.get(one.sop_uid, "")) for one in going]


def _trust(authority: Any) -> Any:
    import ssl

    return True if authority is None else ssl.create_default_context(cafile=str(authority))


def _failures(answer: Any, peer: Peer) -> dict[str, str]:
    """Return the refused objects by UID. Source: PS3.18 Annex I.2 (Failed SOP Sequence)."""
    try:
        told = answer.json() if answer.content else {}
        items = told.get(_FAILED, {}).get("Value", [])
        return {item[_UID]["Value"][0]: f"reason {item[_REASON]['Value'][0]:#06x}" for item in items}
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise PeerError("the answer of a store service", got="something else", where=peer.name) from error
