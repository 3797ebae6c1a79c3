"""Write docs/reference from the code, so that no page can tell another story than the program.

Run by ``make docs``; a test compares the pages with what this script would write.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from inspect import Parameter, signature
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np
import typer
from pydantic import BaseModel

from tumorboard.cli.main import app
from tumorboard.labels import REGIONS, SCHEMES, TISSUE_NAMES, LabelMap, Scheme, Tissue
from tumorboard.measure.sources import Files
from tumorboard.measure.study import Segmented, measure_study
from tumorboard.measurement import Measurement, Source, StudyMeasurements, schema
from tumorboard.sequences import USED, Sequence
from tumorboard.stages import STAGES
from tumorboard.store import write_atomic, write_json
from tumorboard.study import Study
from tumorboard.transform import Frame, Plane
from tumorboard.volume import Volume

REFERENCE = Path(__file__).resolve().parents[1] / "docs" / "reference"
MADE = "*Written by `make docs` from the code; edits here are lost.*"
FIELDS = {
    "schema_version": "version of this format",
    "patient": "pseudonym",
    "study": "id of the study, as its folder is called",
    "sequences": "sequences that were there",
    "segmenter": "what outlined the tumour, and its version (for own masks, their scheme)",
    "measurements": "every number, or the reason why there is none",
    "warnings": "what a reader should know before believing the numbers",
    "status": "`not_assessable` when the value could not be measured",
    "reason": "why not",
    "file": "label map that was counted, relative to the case folder",
}
"""Fields that the models do not describe themselves."""

SIDE = 60
"""Voxels along each axis of the study that lists the measurements, 2 mm."""


def main() -> None:
    """Write every page and the schema."""
    for name, text in pages().items():
        write_atomic(REFERENCE / name, text)
    write_json(REFERENCE / "measurements.schema.json", schema())


def pages() -> dict[str, str]:
    """Return each page's text by file name."""
    made = {"cli.md": cli(), "measurements.md": measurements(), "schemes.md": schemes(), "stages.md": stages()}
    return {name: "\n".join(lines) + "\n" for name, lines in made.items()}


def table(header: Iterable[str], rows: Iterable[Iterable[object]]) -> list[str]:
    """Return a Markdown table; pipes and line breaks inside a cell do not break it."""
    head = list(header)
    body = [[" ".join(str(cell).split()).replace("|", "\\|") for cell in row] for row in rows]
    return [f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *body]] + [""]


# --- commands ---------------------------------------------------------------------------------------------------


KINDS = {Path: "path", str: "text", int: "number"}
"""What the values of options are called, by their Python type."""


def cli() -> list[str]:
    """Return the page of every command, from the command line's own help."""
    group: Any = typer.main.get_command(app)
    out = ["# Commands", "", MADE, "", group.help, ""]
    told: dict[str, str] = {}
    for name, command in group.commands.items():
        options = table(("option", "value", "what"), _options(command))
        same = told.setdefault("\n".join(options), name)
        out += [f"## `tumorboard {name}`", "", command.help, ""]
        out += options if same == name else [f"Options are those of [`tumorboard {same}`](#tumorboard-{same}).", ""]
    return [*out, "## Exit codes", "", group.epilog.removeprefix("Exit codes: ").capitalize()]


def _options(command: Any) -> Iterator[tuple[str, str, str]]:
    hints, given = get_type_hints(command.callback), signature(command.callback).parameters
    for option in command.params:
        if option.name not in given:  # --help
            continue
        kinds = [KINDS[kind] for kind in _leaves(hints[option.name]) if kind in KINDS]
        default = given[option.name].default
        shown = f" Default: `{default}`." if default not in (None, Parameter.empty) else ""
        needed = " Required." if option.required else ""
        is_argument = option.param_type_name == "argument"
        name = f"{option.name.upper()}{'…' if option.nargs == -1 else ''}" if is_argument else ", ".join(option.opts)
        yield f"`{name}`", option.metavar or (kinds or choices(hints[option.name]))[0], f"{option.help}{needed}{shown}"


def choices(hint: Any) -> list[str]:
    """Return the words that an option takes, as one entry; nothing for a flag."""
    found = [leaf for leaf in _leaves(hint) if isinstance(leaf, type) and issubclass(leaf, Enum)]
    return [" ".join(member.value for member in leaf) for leaf in found] or [""]


def _leaves(hint: Any) -> Iterator[Any]:
    """Yield the plain types inside a hint such as ``list[Path] | None``."""
    inner = get_args(hint)
    for part in inner:
        yield from _leaves(part)
    if not inner:
        yield hint


# --- measurements -----------------------------------------------------------------------------------------------


def measurements() -> list[str]:
    """Return the page of ``measurements.json``: its fields, and every measurement there is."""
    out = [
        "# Measurements",
        "",
        MADE,
        "",
        "`measurements.json` holds every number of one study, `measurements.csv` the same as a table. "
        "The schema is [measurements.schema.json](measurements.schema.json); "
        "[what a measurement is](../concepts/measurements.md) says how to read one.",
        "",
        "## What is measured",
        "",
        "`lesion n` stands for `lesion 1`, `lesion 2` … in order of size. Quality `coarse` (through the atlas) and "
        "`proxy` (stands for what a reader would measure) are printed beside the value.",
        "",
    ]
    out += table(("name", "regions", "unit", "quality", "how"), measured())
    titles = ((StudyMeasurements, "The file"), (Measurement, "One measurement"), (Source, "The source of a value"))
    for model, title in titles:
        out += [f"## {title}", "", *table(("field", "type", "default", "what"), _fields(model))]
    return out[:-1]


def _fields(model: type[BaseModel]) -> Iterator[tuple[str, str, str, str]]:
    described = _numpy_parameters(model.__doc__ or "")
    for name, field in model.model_fields.items():
        kind = model.__annotations__[name]
        default = "required" if field.is_required() else f"`{field.default!r}`"
        yield f"`{name}`", f"`{kind}`", default, field.description or described.get(name) or FIELDS[name]


def _numpy_parameters(text: str) -> dict[str, str]:
    """Return the description of each entry of a NumPy docstring's parameters."""
    found: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        left, colon, _ = line.strip().partition(" : ")
        if colon and left.isidentifier():
            name = left
            found[name] = ""
        elif not line.strip():
            name = ""
        elif name:
            found[name] = f"{found[name]} {line.strip()}".strip()
    return found


def measured() -> list[tuple[str, str, str, str, str]]:
    """Return one row for each name of measurement, from two made-up studies that hold everything."""
    rows: dict[str, list[Measurement]] = {}
    for core in (True, False):
        for m in _measure(core):
            rows.setdefault(m.name, []).append(m)
    return [_row(name, found) for name, found in rows.items()]


def _row(name: str, found: list[Measurement]) -> tuple[str, str, str, str, str]:
    value = next((m for m in found if m.value is not None), found[0])
    regions = dict.fromkeys("lesion n" if m.region.startswith("lesion") else m.region for m in found)
    how = re.sub(r"\b\d+ (largest|mm away)", r"*n* \1", value.method)
    return f"`{name}`", ", ".join(regions), f"`{value.unit}`", value.quality, how


def _measure(core: bool) -> tuple[Measurement, ...]:
    """Measure a ball of a brain with two tumours of rim and core, or of oedema alone."""
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    middle = (SIDE - 1) / 2
    x, y, z = np.indices((SIDE, SIDE, SIDE)) - middle
    brain = np.hypot(np.hypot(x, y), z) < 0.45 * SIDE
    labels = np.zeros(brain.shape, dtype=np.uint8)
    for place, radius in ((14, 8), (-12, 5)):
        away = np.hypot(np.hypot(x - place, y), z)
        labels[away < radius + 2] = Tissue.SNFH
        labels[(away < radius) & core] = Tissue.ET
        labels[(away < radius - 3) & core] = Tissue.NETC
    image = Volume.of(np.abs(x).astype(np.float32), affine)
    names = tuple(USED) if core else (Sequence.FLAIR,)
    to_mni = np.eye(4)
    to_mni[:3, 3] = -2.0 * middle
    frame = Frame(Plane((1.0, 0.0, 0.0), 2.0 * middle), to_mni)
    study = Study("ses-01", dict.fromkeys(names, image), brain, frame=frame)
    without = {} if core else dict.fromkeys(("ET", "NETC", "TC"), "T1C was not given")
    segmented = Segmented(LabelMap.of(labels, affine), not_assessable=without)
    return measure_study(study, segmented, Files("dseg", "lesions", "brain")).measurements


# --- tables of the nouns ----------------------------------------------------------------------------------------


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


if __name__ == "__main__":
    main()
