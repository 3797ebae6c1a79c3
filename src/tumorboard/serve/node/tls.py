"""Encrypted DICOM: certificates for both sides of a connection.

Why it exists: patients' images cross a hospital's network. Both sides show a certificate where an authority is given.
Source: PS3.15 B.12 (BCP 195 RFC 8996, 9325 TLS secure transport connection profile): TLS 1.2 or later.
"""

from __future__ import annotations

import socket
import ssl
from typing import Any

from tumorboard.errors import InputError
from tumorboard.serve.settings import TlsSettings


class _Patient(ssl.SSLContext):
    """Shakes hands when the first bytes are read, in the connection's own thread: a silent caller holds up nobody."""

    def wrap_socket(self, sock: socket.socket, *args: Any, **told: Any) -> ssl.SSLSocket:
        return super().wrap_socket(sock, *args, **told | {"do_handshake_on_connect": False})


def context_of(tls: TlsSettings | None, *, server: bool) -> ssl.SSLContext | None:
    """Return how to encrypt, or None.

    Parameters
    ----------
    tls : TlsSettings or None
        Certificate, key and authority.
    server : bool
        Whether others connect to us.

    Raises
    ------
    InputError
        A file cannot be used.

    Examples
    --------
    >>> context_of(None, server=True) is None
    True
    """
    if tls is None:
        return None
    context = _Patient(ssl.PROTOCOL_TLS_SERVER) if server else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if not server:
            context.check_hostname = False  # nodes are known by address; the authority vouches for them
        context.load_cert_chain(tls.certificate, tls.key)
        if tls.authority is not None:
            context.load_verify_locations(tls.authority)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        got, told = type(error).__name__, "check the three files of node.tls"
        raise InputError("certificates that can be used", got=got, where="node.tls", remedy=told) from error
    return context
