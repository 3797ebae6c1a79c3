"""What a joint opinion is worth: intervals of volumes and expected Dice of segmenters that are fused.

Why it exists: the default of ``run`` is a joint opinion, and a volume without an interval is compared with another as
if both were exact. A calibration belongs to its members in their versions: with any other it is not used.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Several
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from tumorboard.networks.bundle import Calibration
from tumorboard.segment.base import Card, Segmentation
from tumorboard.segment.calibrated import told
from tumorboard.store import write_atomic

HOME = Path(__file__).resolve().parents[1] / "bundles" / "joint"
"""Where calibrations of joint opinions lie; each file is named by the way and the members."""


class JointFile(BaseModel):
    """What a file of :data:`HOME` holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    members: dict[str, str] = Field(description="version by name, in order of trust")
    calibration: Calibration


@dataclass(frozen=True)
class Joint:
    """A calibration that is ready for use.

    Parameters
    ----------
    calibration : Calibration
        Of the members together.
    """

    calibration: Calibration

    def judged(self, found: Segmentation, hints: Mapping[str, Mapping[str, float]]) -> Segmentation:
        """Return a segmentation with intervals of its volumes and the Dice that is expected of it.

        Parameters
        ----------
        found : Segmentation
            Fused.
        hints : mapping of str to (mapping of str to float)
            What members tell of it, by region: :func:`tumorboard.segment.fused.hints`.
        """
        looked = {
            region: (volume.data, found.labels.region(region))
            for region, volume in found.probabilities.items()
            if region not in found.not_assessable
        }
        ml = found.labels.grid.voxel_volume_ml
        intervals, dices = told(looked, ml, self.calibration, hints)
        return replace(found, intervals=intervals, predicted_dice=dices)


def joint_of(how: str, cards: Several[Card]) -> Joint | None:
    """Return the shipped calibration of these members in these versions, or None where there is none.

    Examples
    --------
    >>> joint_of("majority", ()) is None
    True
    """
    kept = _read(_named(how, tuple(c.id for c in cards)))
    if kept is None or kept.members != {c.id: c.version for c in cards}:
        return None
    return Joint(kept.calibration)


def write_joint(how: str, cards: Several[Card], calibration: Calibration) -> Path:
    """Write the calibration of a joint opinion to where :func:`joint_of` looks for it."""
    content = JointFile(members={c.id: c.version for c in cards}, calibration=calibration)
    path = _named(how, tuple(c.id for c in cards))
    path.parent.mkdir(exist_ok=True)
    write_atomic(path, content.model_dump_json(indent=1, exclude_defaults=True) + "\n")
    _read.cache_clear()
    return path


def _named(how: str, members: tuple[str, ...]) -> Path:
    return HOME / f"{how}-{'+'.join(members)}.json"


@cache
def _read(path: Path) -> JointFile | None:
    return JointFile.model_validate_json(path.read_text()) if path.is_file() else None
