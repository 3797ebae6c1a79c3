"""What a department is told to do: one TOML file, every key documented, nothing open unless it is said.

Why it exists: whoever answers for a hospital's network must be able to read on one page what listens where, who may
send, what goes out, and how long it is kept. Everything listens on loopback unless told otherwise, nobody may send from
another machine unless they are named, and nothing is returned to a PACS unless a rule is switched on.
"""

from __future__ import annotations

import ipaddress
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from tumorboard.defaults import SEGMENTER
from tumorboard.errors import InputError, did_you_mean
from tumorboard.settings import read_model

AeTitle = Annotated[str, StringConstraints(pattern=r"^[!-\[\]-~][ -\[\]-~]{0,15}$", strip_whitespace=True)]
"""An application entity's title: 1 to 16 characters, no backslash. Source: PS3.5 6.2 (AE)."""

Port = Annotated[int, Field(ge=0, le=65535)]
"""A TCP port; 0 takes a free one."""

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,32}$")]


class Kind(StrEnum):
    """Kinds of results, named as the chain names their files.

    Examples
    --------
    >>> Kind.of_file("capture-2"), Kind("seg").value
    (<Kind.CAPTURE: 'capture'>, 'seg')
    """

    SEG = "seg"
    LABELMAP = "labelmap"
    SR = "sr"
    REPORT = "report"
    CAPTURE = "capture"

    @classmethod
    def of_file(cls, stem: str) -> Kind:
        """Return the kind of a result by its file's name without ending, such as ``capture-1``."""
        return cls(stem.partition("-")[0])


class Route(StrEnum):
    """Ways by which results go to a peer."""

    STORE = "store"
    STOW = "stow"


class Fetch(StrEnum):
    """Ways by which earlier studies come from a peer."""

    GET = "get"
    MOVE = "move"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there.

    Examples
    --------
    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TlsSettings(_Part):
    """Certificates, in PEM files; a path is taken from the folder of the settings file."""

    certificate: Path = Field(description="certificate that is shown to others")
    key: Path = Field(description="its private key")
    authority: Path | None = Field(default=None, description="certificates that others must be signed by; DICOM only")


class NodeSettings(_Part):
    """The DICOM node: who it is, where it listens, who may send, when a study is complete."""

    ae_title: AeTitle = Field(default="TUMORBOARD", description="title of this node")
    host: str = Field(default="127.0.0.1", description="address it listens on; only this machine by default")
    port: Port = Field(default=11112, description="port it listens on; 0 takes a free one")
    calling_ae_titles: tuple[AeTitle, ...] = Field(
        default=(), description="who may send; empty: anyone on this machine, and no other address is allowed then"
    )
    max_associations: int = Field(default=10, ge=1, le=200, description="connections at one time; more are refused")
    idle_seconds: float = Field(default=60.0, gt=0, description="a silent connection is ended after this time")
    quiet_seconds: float = Field(default=60.0, gt=0, description="a study is complete after this time without images")
    patience_seconds: float = Field(
        default=900.0, gt=0, description="wait so long for images that the peer of [priors] counts and we have not"
    )
    tls: TlsSettings | None = Field(default=None, description="encrypt; the file's table [node.tls]")

    @model_validator(mode="after")
    def _named_where_open(self) -> Self:
        if not is_loopback(self.host) and not self.calling_ae_titles:
            raise ValueError("calling_ae_titles must name who may send when host is not this machine alone")
        return self


class WebSettings(_Part):
    """The pages: where they listen, and how much one visitor may ask for."""

    host: str = Field(default="127.0.0.1", description="address it listens on; only this machine by default")
    port: Port = Field(default=8080, description="port it listens on; 0 takes a free one")
    names: tuple[Annotated[str, StringConstraints(pattern=r"^[a-z0-9.-]{1,253}$")], ...] = Field(
        default=(), description="names under which an encrypting proxy on this machine serves the pages"
    )
    session_minutes: float = Field(default=30.0, gt=0, description="an idle visitor is logged out after this time")
    logins_per_minute: int = Field(default=10, ge=1, description="tries to log in, for one address")
    requests_per_minute: int = Field(default=1200, ge=10, description="requests, for one address")
    max_body_mib: float = Field(default=512.0, gt=0, description="largest body of a request")
    max_part_mib: float = Field(default=256.0, gt=0, description="largest DICOM object in a body")
    tls: TlsSettings | None = Field(default=None, description="encrypt; the file's table [web.tls]")

    @model_validator(mode="after")
    def _encrypted_where_open(self) -> Self:
        if not is_loopback(self.host) and self.tls is None:
            raise ValueError("tls must be given when host is not this machine alone: passwords would be readable")
        return self


class Peer(_Part):
    """Another DICOM node, such as the hospital's PACS."""

    name: Name = Field(description="how these settings and the pages call it")
    ae_title: AeTitle = Field(description="its title")
    host: str = Field(description="its address")
    port: Annotated[int, Field(ge=1, le=65535)] = Field(description="its port")
    dicomweb: str = Field(default="", description="address of its DICOMweb service, for results sent by STOW-RS")
    tls: bool = Field(default=False, description="speak TLS with it, with the certificates of [node.tls]")
    fetch: Fetch = Field(
        default=Fetch.GET, description="earlier studies come by get: our connection; move: it connects to node.ae_title"
    )

    @field_validator("dicomweb")
    @classmethod
    def _an_address(cls, text: str) -> str:
        if text and not text.startswith(("http://", "https://")):
            raise ValueError("an address that starts with http:// or https://")
        return text.rstrip("/")


class PriorsSettings(_Part):
    """Earlier studies of a patient, so that change can be judged."""

    source: str = Field(default="", description="peer they are fetched from; empty: none are fetched")
    studies: int = Field(default=4, ge=1, le=50, description="how many at most, the latest first")
    days: int = Field(default=1825, ge=1, description="how far back")
    modality: str = Field(default="MR", pattern=r"^[A-Z]{2,4}$", description="of which modality")


class ReturningSettings(_Part):
    """The rule by which results go back; off until a peer is named."""

    to: str = Field(default="", description="peer that results are sent to; empty: nothing ever leaves")
    how: Route = Field(default=Route.STORE, description="store: C-STORE; stow: STOW-RS to the peer's dicomweb address")
    kinds: tuple[Kind, ...] = Field(
        default=(Kind.SEG, Kind.SR, Kind.REPORT), description="which of seg, labelmap, sr, report, capture"
    )
    commitment: bool = Field(default=False, description="ask the peer to commit to their storage")


class KeepSettings(_Part):
    """How much is kept and for how long."""

    disk_gib: float = Field(default=0.0, ge=0, description="room for everything below home; 0: as much as the disk has")
    reserve_gib: float = Field(default=2.0, ge=0, description="room on the disk that is left free")
    days: int = Field(default=0, ge=0, description="images of a study go so long after its last one came; 0: never")


class JobSettings(_Part):
    """How studies are worked on."""

    workers: int = Field(default=1, ge=1, le=64, description="studies worked on at one time")
    tries: int = Field(default=3, ge=1, le=20, description="tries before a person must look")
    backoff_seconds: float = Field(default=60.0, gt=0, description="wait after the first failure; doubled each time")
    lease_seconds: float = Field(default=60.0, gt=1, description="a worker silent for this time is taken for dead")
    segmenter: str = Field(default=SEGMENTER, description="what outlines the tumour")


class DepartmentSettings(_Part):
    """Everything that a department is told.

    Examples
    --------
    >>> told = DepartmentSettings(home=Path("/srv/tumorboard"))
    >>> told.node.host, told.returning.to, told.database_url
    ('127.0.0.1', '', 'sqlite:////srv/tumorboard/department.sqlite')
    >>> DepartmentSettings(home=Path("h"), returning={"to": "pacs"})
    Traceback (most recent call last):
    pydantic_core._pydantic_core.ValidationError: 1 validation error for DepartmentSettings
      Value error, returning.to names no peer...
    """

    home: Path = Field(description="folder of everything that is kept; made if it is not there")
    database: str = Field(
        default="",
        pattern=r"^(sqlite:///.+|postgresql\+psycopg://.+)?$",
        description="postgresql+psycopg://…; empty: a file in home",
    )
    node: NodeSettings = NodeSettings()
    web: WebSettings = WebSettings()
    jobs: JobSettings = JobSettings()
    peers: tuple[Peer, ...] = Field(default=(), description="other nodes; each a table [[peers]]")
    priors: PriorsSettings = PriorsSettings()
    returning: ReturningSettings = ReturningSettings()
    keep: KeepSettings = KeepSettings()

    @model_validator(mode="after")
    def _peers_are_there(self) -> Self:
        names = [peer.name for peer in self.peers]
        if len(set(names)) < len(names):
            raise ValueError("two peers of one name")
        for where, name in (("priors.source", self.priors.source), ("returning.to", self.returning.to)):
            if name and name not in names:
                raise ValueError(f"{where} names no peer; {did_you_mean(name, names, 'add it as [[peers]]')}")
        if self.returning.to and self.returning.how is Route.STOW and not self.peer(self.returning.to).dicomweb:
            raise ValueError("returning by stow needs the peer's dicomweb address")
        self._may_move()
        return self

    def _may_move(self) -> None:
        """Refuse a source of earlier studies that has to send them to us and may not."""
        source = self.peer(self.priors.source) if self.priors.source else None
        may = self.node.calling_ae_titles
        if source is not None and source.fetch is Fetch.MOVE and may and source.ae_title not in may:
            raise ValueError("calling_ae_titles must name the peer of priors.source: by move it sends to this node")

    def peer(self, name: str) -> Peer:
        """Return the peer of a name.

        Raises
        ------
        InputError
            There is none.
        """
        for peer in self.peers:
            if peer.name == name:
                return peer
        remedy = did_you_mean(name, [p.name for p in self.peers], "add it as [[peers]]")
        raise InputError("the name of a peer", got="another", where="peers", remedy=remedy)

    @property
    def database_url(self) -> str:
        """Where the database is, as SQLAlchemy wants it."""
        return self.database or f"sqlite:///{self.home / 'department.sqlite'}"

    @property
    def queue_file(self) -> Path:
        """Where the queue is."""
        return self.home / "queue.sqlite"

    @property
    def shelf(self) -> Path:
        """Folder of DICOM files, received and made."""
        return self.home / "shelf"

    @property
    def cases(self) -> Path:
        """Folder of the chain's case folders."""
        return self.home / "cases"

    @property
    def edits(self) -> Path:
        """Folder of corrected masks."""
        return self.home / "edits"

    @property
    def viewer(self) -> Path:
        """Folder of pictures for the reading room; they can be made again."""
        return self.home / "viewer"

    @property
    def logs(self) -> Path:
        """Folder of logs."""
        return self.home / "logs"


def read_settings(path: Path) -> DepartmentSettings:
    """Read a department's settings; paths in them are taken from the folder of the file.

    Parameters
    ----------
    path : Path
        A TOML file.

    Returns
    -------
    DepartmentSettings

    Raises
    ------
    InputError
        The file is absent, is no TOML, or holds what is no setting.
    """
    told = read_model(path, DepartmentSettings, "settings of a department")
    base = path.resolve().parent
    parts = {name: _placed(part, base) for name, part in (("node", told.node), ("web", told.web))}
    return told.model_copy(update={"home": base / told.home} | parts)


def _placed(part: NodeSettings | WebSettings, base: Path) -> NodeSettings | WebSettings:
    if part.tls is None:
        return part
    authority = None if part.tls.authority is None else base / part.tls.authority
    files = {"certificate": base / part.tls.certificate, "key": base / part.tls.key, "authority": authority}
    return part.model_copy(update={"tls": part.tls.model_copy(update=files)})
