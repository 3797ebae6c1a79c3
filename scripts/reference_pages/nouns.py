"""Pages of labels, stages and checklists."""

from __future__ import annotations

from collections.abc import Mapping

from reference_pages.words import MADE, table
from tumorboard.appraise.describe import checklists_page
from tumorboard.labels import REGIONS, SCHEMES, TISSUE_NAMES, Scheme, Tissue
from tumorboard.stages import STAGES


def schemes() -> list[str]:
    """Return the page of classes, regions and label schemes."""
    out = ["# Labels", "", MADE, "", "## Our classes", "", "Every `dseg` that is written holds these values.", ""]
    out += table(("value", "name", "tissue"), ((int(t), t.name, TISSUE_NAMES[t]) for t in Tissue))
    out += ["## Regions", ""]
    out += table(("region", "classes"), ((r, " + ".join(t.name for t in found)) for r, found in REGIONS.items()))
    out += ["## Schemes", "", "What the values of a label file mean, for `--labels FILE --scheme NAME`.", ""]
    values = sorted({v for s in SCHEMES.values() for v in s.values})
    out += table(("scheme", *map(str, values), "source"), (_scheme(s, values) for s in SCHEMES.values()))
    return out[:-1]


def _scheme(scheme: Scheme, values: list[int]) -> list[str]:
    return [f"`{scheme.name}`", *(_meaning(scheme.values, v) for v in values), scheme.source]


def _meaning(values: Mapping[int, Tissue | None], value: int) -> str:
    if value not in values:
        return ""
    tissue = values[value]
    return "left out" if tissue is None else tissue.name


def stages() -> list[str]:
    """Return the page of stages."""
    out = [
        "# Stages",
        "",
        MADE,
        "",
        "A stage is kept while its key (inputs, settings, version) is the same and its outputs are whole; else it runs "
        "again. A run that was stopped goes on where it was with the same command.",
        "",
    ]
    rows = (
        (f"`{s.name}`", s.version, s.scope, _plain(s.inputs), _plain(s.outputs), s.bytes_per_voxel)
        for s in STAGES.values()
    )
    header = ("stage", "version", "once for each", "reads", "writes", "estimated bytes a voxel")
    return [*out, *table(header, rows)][:-1]


def _plain(text: str) -> str:
    return text.replace("*", "\\*")


def checklists() -> list[str]:
    """Return the page of every checklist and how each of its items is answered."""
    return ["# Checklists", "", MADE, "", *checklists_page().splitlines()]
