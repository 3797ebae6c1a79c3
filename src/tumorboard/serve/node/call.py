"""Connections that we open to a peer, ended whatever happens.

Why it exists: every question to a PACS needs the same three things: a connection under our title, an error in words if
there is none, and a release at the end.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from tumorboard.errors import TumorboardError
from tumorboard.serve.log import silence
from tumorboard.serve.node.server import entity
from tumorboard.serve.node.tls import context_of
from tumorboard.serve.settings import DepartmentSettings, Peer

if TYPE_CHECKING:
    from pynetdicom import AE
    from pynetdicom.association import Association


VERIFICATION = "1.2.840.10008.1.1"
IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
PLAIN = [EXPLICIT, IMPLICIT]
"""Transfer syntaxes that everybody knows."""

ECHO_CONTEXTS = [(VERIFICATION, [IMPLICIT])]
"""What is proposed to ask a peer whether it hears us."""

_QUERY_RETRIEVE = "1.2.840.10008.5.1.4.1.2"
"""Start of the SOP classes of Query/Retrieve; what a peer sends us during a retrieval is no such class."""


class PeerError(TumorboardError):
    """A peer that could not be reached, or did not do what it was asked."""


@contextlib.contextmanager
def calling(
    settings: DepartmentSettings,
    peer: Peer,
    contexts: Iterable[tuple[str, list[str]]],
    *,
    serves: bool = False,
    handlers: Iterable[tuple[Any, ...]] = (),
    patience_s: float | None = None,
) -> Iterator[Association]:
    """Open a connection to a peer.

    Parameters
    ----------
    settings : DepartmentSettings
        Our title and certificates.
    peer : Peer
        Whom we call.
    contexts : iterable of (str, list of str)
        SOP classes with their transfer syntaxes; at most 128.
    serves : bool
        The peer will store to us over this connection (C-GET).
    handlers : iterable
        Of pynetdicom's events.
    patience_s : float, optional
        How long an answer may take; as long as a connection may be silent by default.

    Raises
    ------
    PeerError
        It does not answer, or refuses.
    """
    silence()
    ae, roles = requesting(settings, contexts, serves=serves)
    if patience_s is not None:
        ae.dimse_timeout = patience_s
    tls = context_of(settings.node.tls, server=False) if peer.tls else None
    assoc = ae.associate(
        peer.host,
        peer.port,
        ae_title=peer.ae_title,
        max_pdu=ae.maximum_pdu_size,
        ext_neg=roles,
        evt_handlers=list(handlers),
        tls_args=None if tls is None else (tls, peer.host),
    )
    if not assoc.is_established:
        if assoc.dul.socket is not None and assoc.dul.socket.socket is not None:
            assoc.dul.socket.socket.close()  # pynetdicom leaves it to the collector
        got = "a refusal" if assoc.is_rejected else "no answer"
        remedy = "check its address and title, and that it knows ours"
        raise PeerError("a peer that takes our connection", got=got, where=peer.name, remedy=remedy)
    try:
        yield assoc
    finally:
        if assoc.is_established:
            assoc.release()


def echo(settings: DepartmentSettings, peer: Peer) -> None:
    """Ask a peer whether it hears us (C-ECHO).

    Raises
    ------
    PeerError
        It does not.
    """
    with calling(settings, peer, ECHO_CONTEXTS) as assoc:
        status_of(assoc.send_c_echo(), peer)


def requesting(
    settings: DepartmentSettings, contexts: Iterable[tuple[str, list[str]]], *, serves: bool = False
) -> tuple[AE, list[Any]]:
    """Return our asking application entity, and the roles that it proposes beside its contexts.

    Parameters
    ----------
    settings : DepartmentSettings
        Our title and limits.
    contexts : iterable of (str, list of str)
        SOP classes with their transfer syntaxes; at most 128.
    serves : bool
        The peer will store to us over the connection (C-GET).

    Examples
    --------
    >>> from pathlib import Path
    >>> ae, roles = requesting(DepartmentSettings(home=Path("h")), ECHO_CONTEXTS)
    >>> [str(context.abstract_syntax) for context in ae.requested_contexts], roles
    (['1.2.840.10008.1.1'], [])
    """
    from pynetdicom import build_role

    ae = entity(settings, listening=False)
    roles: list[Any] = []
    for sop_class, syntaxes in contexts:
        ae.add_requested_context(sop_class, syntaxes)
        if serves and not sop_class.startswith(_QUERY_RETRIEVE):
            roles.append(build_role(sop_class, scp_role=True))
    return ae, roles


def status_of(answer: Any, peer: Peer) -> int:
    """Return the status of an answer.

    Raises
    ------
    PeerError
        There is none: the connection broke.
    """
    status = getattr(answer, "Status", None)
    if status is None:
        raise PeerError("an answer", got="a connection that broke", where=peer.name, remedy="try again later")
    return int(status)
