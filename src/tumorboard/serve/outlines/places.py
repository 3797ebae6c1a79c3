"""Where the results of a study lie: its patient's case folder, and which session of it the study is.

Why it exists: sessions are numbered by date, and shift when an earlier study comes; the series that a session was made
of tell which study it is. What is shown is always read from there, never from what a page remembers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tumorboard.sequences import Sequence
from tumorboard.store import CaseFolder
from tumorboard.volume import Grid

if TYPE_CHECKING:
    from tumorboard.serve.data.tables import Study
    from tumorboard.serve.settings import DepartmentSettings

STAGES = ".stages"


@dataclass(frozen=True)
class Place:
    """The results of one study.

    Parameters
    ----------
    folder : CaseFolder
        Of its patient.
    session : str
        ``ses-01`` and so on.
    """

    folder: CaseFolder
    session: str

    @cached_property
    def quality(self) -> dict[str, Any]:
        """What preparing told."""
        return dict(read_json(self.folder.session(self.session) / "quality.json"))

    @cached_property
    def outline(self) -> dict[str, Any]:
        """What is told of the outline."""
        return dict(read_json(self.folder.seg(self.session, "dseg.json")))

    @property
    def sequences(self) -> tuple[Sequence, ...]:
        """Sequences that were prepared, in the order of the list of sequences."""
        there = set(self.quality["sequences"])
        return tuple(s for s in Sequence if s.value in there)

    @property
    def native(self) -> Grid | None:
        """Grid whose slices diameters are read on, where it is another than the working grid."""
        given = self.quality["native_grid"]
        return None if given is None else Grid(tuple(given["shape"]), given["affine"])

    def digest(self, path: Path, stage: str) -> str:
        """Return the digest of a file as its stage recorded it; empty where it did not write it."""
        record = read_json(self.folder.root / STAGES / f"{self.session}_{stage}.json", default={})
        return str(record.get("outputs", {}).get(self.folder.relative(path), ""))


def place_of(settings: DepartmentSettings, study: Study) -> Place | None:
    """Return where the results of a study lie; None where there are none yet.

    Parameters
    ----------
    settings : DepartmentSettings
        They say where case folders are.
    study : Study
        In its session of the database.
    """
    mine = {series.uid for series in study.series}
    folder = CaseFolder(settings.cases, study.patient.key)
    for session in sorted(folder.root.glob("ses-*")):
        if mine & set(series_of(session)) and (session / "measurements.json").is_file():
            return Place(folder, session.name)
    return None


def series_of(session: Path) -> Iterator[str]:
    """Yield the UIDs of the series that went into a session's folder."""
    for card in read_json(session / "source.json", default={}).values():
        yield str(card.get("SeriesInstanceUID", ""))


def read_json(path: Path, default: Any = None) -> Any:
    """Read JSON; a file that is not there, or is just being made, gives ``default``.

    Examples
    --------
    >>> read_json(Path("nowhere.json"), default={})
    {}
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return default
