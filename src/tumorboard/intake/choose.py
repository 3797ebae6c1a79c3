"""Which of several files for one sequence is taken.

Why it exists: departments acquire T1C twice, thick and thin, and repeat what moved. The better image is
taken by a fixed order, the reason is printed, and a tie is the user's to decide: 3-D before 2-D,
thinner, more voxels, later.
"""

from __future__ import annotations

import re
from collections.abc import Sequence as Files
from dataclasses import dataclass

from tumorboard.errors import SequenceError
from tumorboard.intake.probe import Header, probe, probe_series
from tumorboard.intake.redact import DATE, shown_image
from tumorboard.intake.scan import ImageFile, natural
from tumorboard.intake.vocabulary import stem_of
from tumorboard.sequences import Sequence

_RUN = re.compile(r"(?<![^\W_])run[-_]?(\d{1,3})(?![^\W_])", re.I)


def shown(image: ImageFile) -> str:
    """Return how an image is called in print."""
    series = image.series
    return shown_image(image.path, series.number if series else None, series.tags.description if series else "")


@dataclass(frozen=True)
class Choice:
    """The file taken for a sequence, why, those left, and those whose header cannot be read."""

    taken: ImageFile
    reason: str
    left: tuple[ImageFile, ...] = ()
    unreadable: int = 0


@dataclass(frozen=True)
class _Candidate:
    image: ImageFile
    header: Header

    @property
    def rank(self) -> tuple[bool, bool, float, int]:
        """Larger is better: readable, 3-D, thinner, more voxels."""
        h = self.header
        return (True, h.is_3d, -h.thickness_mm, h.voxels) if h.readable else (False, False, 0.0, 0)


def choose(sequence: Sequence, files: Files[ImageFile], where: str) -> Choice:
    """Take the best of the files that are recognised as one sequence.

    Parameters
    ----------
    sequence : Sequence
        What they are.
    files : sequence of ImageFile
        At least one. Headers are read only when there are several.
    where : str
        Study, for the message.

    Raises
    ------
    SequenceError
        Two files rank equal, and neither says that it is the later one.
    """
    if len(files) == 1:
        return Choice(files[0], files[0].recognition.reason)
    candidates = [_Candidate(f, probe_series(f.series) if f.series else probe(f.path)) for f in files]
    ranked = sorted(candidates, key=lambda c: c.rank, reverse=True)
    best = [c for c in ranked if c.rank == ranked[0].rank]
    taken = best[0] if len(best) == 1 else _later(best)
    if taken is None:
        raise _tie(sequence, best, where)
    others = [c for c in ranked if c is not taken]
    why = "later of two alike" if len(best) > 1 else _difference(taken.header, others[0].header)
    left = tuple(c.image for c in others)
    reason = f"{taken.image.recognition.reason}; {why}; chosen over {len(left)} other{'s' if len(left) > 1 else ''}"
    return Choice(taken.image, reason, left, sum(not c.header.readable for c in ranked))


def _difference(best: Header, second: Header) -> str:
    """Say by what the best differs from the second."""
    if not second.readable:
        return "the other cannot be read as one 3-D volume"
    if best.is_3d != second.is_3d:
        return f"3-D ({best.thickness_mm:g} mm) before 2-D ({second.thickness_mm:g} mm)"
    if best.thickness_mm != second.thickness_mm:
        return f"thinner ({best.thickness_mm:g} mm before {second.thickness_mm:g} mm)"
    return f"more complete ({best.voxels} before {second.voxels} voxels)"


def _later(candidates: Files[_Candidate]) -> _Candidate | None:
    """Return the one whose name says that it is later: a higher run, or the same name with a higher number."""
    series = [c.image.series for c in candidates]
    times = [s.time_s for s in series if s is not None and s.time_s is not None]
    if any(series):
        known = len(times) == len(candidates) and len(set(times)) == len(times)
        return candidates[times.index(max(times))] if known else None
    names = [stem_of(c.image.path.name) for c in candidates]
    runs = [int(found[1]) if (found := _RUN.search(name)) else 0 for name in names]
    without_run = {re.sub(r"[\W_]+", "_", _RUN.sub("", name)) for name in names}
    if len(without_run) == 1 and len(set(runs)) == len(runs):
        return candidates[runs.index(max(runs))]
    patterns = {re.sub(r"\d+", "#", name) for name in names}
    if len(patterns) > 1 or len(set(names)) < len(names) or any(_could_be_a_person(name) for name in names):
        return None
    return max(candidates, key=lambda c: natural(c.image.path.name))


def _could_be_a_person(name: str) -> bool:
    """Whether its numbers could be a date or a hospital number, which says nothing about which is later."""
    return DATE.search(name) is not None or re.search(r"\d{5}", name) is not None


def _tie(sequence: Sequence, best: Files[_Candidate], where: str) -> SequenceError:
    listed = sorted({shown(c.image) for c in best})
    how = "NUMBER" if any(c.image.series for c in best) else "FILE"
    return SequenceError(
        f"one file for {sequence.value}",
        got=f"{len(best)} that rank equal ({', '.join(listed[:4])})",
        where=where,
        remedy=f"name the right one with --sequence {sequence.value}={how}",
    )
