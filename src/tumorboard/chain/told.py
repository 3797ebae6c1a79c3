"""What a run must say aloud at its end: what could not be assessed, and what was uncertain.

Why it exists: a reader of the terminal must learn it as well as a reader of the report. Studies that
share a sentence share a line.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from tumorboard.chain.saved import read_json
from tumorboard.chain.trip import StudyTrip


def warnings_of(trips: Iterable[StudyTrip]) -> list[str]:
    """Return one line for each thing to be said of segmented studies, naming the studies it holds for."""
    studies: dict[str, list[str]] = defaultdict(list)
    for trip in trips:
        side = read_json(trip.folder.seg(trip.id, "dseg.json"))
        regions: dict[str, list[str]] = defaultdict(list)
        for region, reason in side["NotAssessable"].items():
            regions[reason].append(region)
        for reason, names in regions.items():
            studies[f"{', '.join(sorted(names))} not assessable: {reason}"].append(trip.id)
        for warning in side["Method"]["warnings"]:
            studies[warning].append(trip.id)
    return [f"{', '.join(ids)}: {said}" for said, ids in studies.items()]
