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

from tumorboard.appraise.describe import checklists_page
from tumorboard.cli.main import app
from tumorboard.labels import REGIONS, SCHEMES, TISSUE_NAMES, LabelMap, Scheme, Tissue
from tumorboard.measure.sources import Files
from tumorboard.measure.study import Segmented, measure_study
from tumorboard.measurement import Measurement, Source, StudyMeasurements, schema
from tumorboard.radiomics.families import FAMILIES
from tumorboard.radiomics.filters import FILTERS
from tumorboard.radiomics.presets import PRESETS
from tumorboard.radiomics.pyradiomics.names import CLASSES, DEVIATIONS
from tumorboard.radiomics.pyradiomics.parameters import IMAGE_TYPES, PER_IMAGE, Setting
from tumorboard.respond import CRITERIA, Criterion, Errors, read_criterion
from tumorboard.respond.cohort.compare import METHODS as AGREEMENT
from tumorboard.respond.cohort.surrogate import METHODS as SURROGATE
from tumorboard.respond.criterion import _SETTABLE as SETTABLE
from tumorboard.respond.criterion import NAMES, UNITS, Measure, Thresholds, Window
from tumorboard.respond.engine.words import RULES
from tumorboard.respond.table import cells
from tumorboard.respond.table.write import TIME_COLUMNS, VERDICT_COLUMNS
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
    made |= {"features.md": features(), "pyradiomics.md": pyradiomics()}
    made |= {"criteria.md": criteria(), "checklists.md": checklists()}
    return {name: "\n".join(lines) + "\n" for name, lines in made.items()}


def checklists() -> list[str]:
    """Return the page of every checklist and how each of its items is answered."""
    return ["# Checklists", "", MADE, "", *checklists_page().splitlines()]


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
    for name, command in _commands(group):
        options = table(("option", "value", "what"), _options(command))
        same = told.setdefault("\n".join(options), name)
        out += [f"## `tumorboard {name}`", "", command.help, ""]
        place = "tumorboard-" + same.replace(" ", "-")
        out += options if same == name else [f"Options are those of [`tumorboard {same}`](#{place}).", ""]
    return [*out, "## Exit codes", "", group.epilog.removeprefix("Exit codes: ").capitalize()]


def _commands(group: Any) -> Iterator[tuple[str, Any]]:
    """Yield every command by its words; those of a group with the group's name before theirs."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from ((f"{name} {inner}", one) for inner, one in _commands(command))
        else:
            yield name, command


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


# --- features ---------------------------------------------------------------------------------------------------


def features() -> list[str]:
    """Return the page of every radiomics feature, filter and setting by name."""
    out = ["# Radiomics features", "", MADE, "", "Codes are those of IBSI; `i` stands for the unit of intensity.", ""]
    for family in FAMILIES.values():
        ways = ", ".join(f"`{way}`" for way in family.ways if way)
        out += [
            f"## {family.title}",
            "",
            f"Family `{family.name}`, code {family.code}, columns `{family.prefix}_…`.",
            "",
        ]
        out += [f"Aggregation: {ways}.", ""] if ways else []
        rows = ((f"`{f.name}`", f.code, f.unit, f.says) for f in family.features)
        out += table(("feature", "code", "unit", "what it is"), rows)
    out += ["## Filters", ""]
    kinds = ((f"`{k}`", made.code, _options_of(made), _first(made.__doc__)) for k, made in FILTERS.items())
    out += table(("kind", "code", "settings", "what it is"), kinds)
    out += ["## Settings by name", ""]
    return [*out, *table(("name", "source"), ((f"`{s.name}`", s.source or "the standard") for s in PRESETS.values()))]


def pyradiomics() -> list[str]:
    """Return the page of what is computed as PyRadiomics computes it."""
    out = ["# PyRadiomics", "", MADE, ""]
    out += ["What `extract_pyradiomics` computes under PyRadiomics' names.", "", "## Parameters", ""]
    settings = ", ".join(f"`{field.alias or name}`" for name, field in Setting.model_fields.items())
    out += [f"`setting`: {settings}.", "", f"`imageType`: {', '.join(f'`{name}`' for name in IMAGE_TYPES)}, each with"]
    out += [f"its own {', '.join(f'`{name}`' for name in PER_IMAGE)} where it differs. `featureClass`: as below.", ""]
    out += ["All others, and values that are not supported, are refused by name.", "", "## Names", ""]
    pairs = ((f"`{kind}`", f"`{n}`", tag and f"`{tag}`") for kind, names in CLASSES.items() for n, tag in names.items())
    out += table(("class", "feature", "our column of the standard's feature"), pairs)
    out += ["## Where PyRadiomics differs from the standard", ""]
    return [
        *out,
        *table(("feature or step", "what differs", "effect"), ((d.feature, d.differs, d.effect) for d in DEVIATIONS)),
    ]


def _options_of(model: type[BaseModel]) -> str:
    return ", ".join(f"`{name}`" for name in model.model_fields)


def _first(text: str | None) -> str:
    return re.sub(r":\w+:`~?([^`]*)`", r"`\1`", (text or "").strip().splitlines()[0])


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
    """Return the description of each entry of a NumPy docstring's parameters; several names may share one."""
    found: dict[str, str] = {}
    names: list[str] = []
    for line in text.splitlines():
        left, colon, _ = line.strip().partition(" : ")
        some = left.split(", ")
        if (colon or names or len(some) > 1) and all(name.isidentifier() for name in some) and (colon or len(some) > 1):
            names = some
            found |= dict.fromkeys(names, "")
        elif not line.strip():
            names = []
        else:
            found |= {name: f"{found[name]} {line.strip()}".strip() for name in names}
    return found


def measured() -> list[tuple[str, str, str, str, str]]:
    """Return one row for each name of measurement, from three made-up studies that hold everything."""
    rows: dict[str, list[Measurement]] = {}
    for core, all_sequences in ((True, True), (False, False), (False, True)):
        for m in _measure(core, all_sequences):
            rows.setdefault(m.name, []).append(m)
    return [_row(name, found) for name, found in rows.items()]


def _row(name: str, found: list[Measurement]) -> tuple[str, str, str, str, str]:
    value = next((m for m in found if m.value is not None), found[0])
    regions = dict.fromkeys("lesion n" if m.region.startswith("lesion") else m.region for m in found)
    told = value.method or f"for a reader: {value.reason}"
    how = re.sub(r"\b\d+ (largest|mm away)", r"*n* \1", told)
    how = re.sub(r"\b(here|code|0 and) \d+(\.\d)?(?= %| mm|\.$)", r"\1 *n*", how)
    return f"`{name}`", ", ".join(regions), f"`{value.unit}`", value.quality if value.method else "", how


def _measure(core: bool, all_sequences: bool) -> tuple[Measurement, ...]:
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
    names = tuple(USED) if all_sequences else (Sequence.FLAIR,)
    to_mni = np.eye(4)
    to_mni[:3, 3] = -2.0 * middle
    frame = Frame(Plane((1.0, 0.0, 0.0), 2.0 * middle), to_mni)
    study = Study("ses-01", dict.fromkeys(names, image), brain, frame=frame)
    without = {} if all_sequences else dict.fromkeys(("ET", "NETC", "TC"), "T1C was not given")
    segmented = Segmented(LabelMap.of(labels, affine), not_assessable=without)
    return measure_study(study, segmented, Files("dseg", "lesions", "brain")).measurements


# --- criteria ---------------------------------------------------------------------------------------------------


VISIT_COLUMNS = {
    "patient_id": "pseudonym",
    "date": "of the images",
    "kind": "what the visit is in the course; each patient needs one that is no `followup`",
    "lesion_id": "its name, the same at all visits; empty at a visit without lesions",
    "compartment": "enhancing tumour, or tumour that is seen on T2/FLAIR alone",
    "long_mm": "longest diameter",
    "perp_mm": "longest diameter at right angles to it",
    "volume_ml": "volume",
    "new_lesion": "1 at the first visit of a lesion that appeared after the baseline",
    "t2flair": "T2/FLAIR abnormality against the baseline or the best state since",
    "dexamethasone_mg": "dose a day, or what equals it; 0 is none",
    "clinical": "the patient's state against the baseline or the best state since",
    "role": "what a reader made of the lesion; empty leaves it to the criterion",
    "nontarget_status": "what a reader says of a lesion without measuring it",
    "measurable": "what a reader says; `auto` or empty leaves it to the size rule",
    "slice_mm": "distance of the slices it was measured on",
    "evaluable": "0 when the images cannot be read at all",
    "rt_end": "last day of the last radiotherapy",
    "in_rt_field": "whether a lesion lies within the high-dose field",
    "drug": "name or class; known are anti-angiogenic drugs and immunotherapy",
    "drug_start": "first day of that drug",
    "steroid_reason": "why the dose is given",
    "eye": "eye examination, for lymphoma",
    "csf": "cytology of cerebrospinal fluid, for lymphoma",
    "diameter_sd_mm": f"error of its diameters (standard deviation); empty takes {Errors().diameter_mm:g} mm",
    "volume_sd_ml": f"error of its volume; empty takes {100 * Errors().volume_part:g} %",
}
"""What each column of ``visits.csv`` is."""

MADE_COLUMNS = {
    "patient_id": "as in the visits",
    "date": "of the visit",
    "criterion": "name as above",
    "raw_category": "this visit with all its facts, before windows and confirmation",
    "category": "after them: pending progression repeats the last settled category; facts missing: NE",
    "confirmed": "`yes`, `no`, `pending` or `not_required`, of a response or a progression",
    "imaging_only": "from the images alone, without steroids and clinical state",
    "probability": "of `raw_category` under the errors of measurement; empty where no sum decides",
    "sum": "what was compared, in the unit that the reason names; empty where a target has no size",
    "reference": "date of the visit that it was compared with",
    "rule": "which rule made `raw_category`, see below",
    "reason": "the verdict as a sentence with its numbers",
    "start": "from when time counts: the first `baseline`, else `post_op`, else `post_rt`",
    "progression_date": "first visit with PD in `category`; empty when there was none",
    "days": "from the start to it, else to the last visit that could be judged",
    "event": "1 progressed, 0 not yet (censored)",
}
"""What each column of ``verdicts.csv`` and ``ttp.csv`` is."""


def criteria() -> list[str]:
    """Return the page of every response criterion, and of the tables that ``respond`` reads and writes."""
    found = [read_criterion(name) for name in CRITERIA]
    out = ["# Response criteria", "", MADE, ""]
    out += [
        "What the engine reads from the table of each criterion; a star marks what was not read in the primary source."
    ]
    out += ["[How it thinks](../concepts/response.md).", ""]
    named = ((f"`{c.id}`", c.title, c.version, c.source) for c in found)
    out += section("Sources", "", ("name", "criterion", "version", "source"), named)
    text = (
        "At the threshold counts. PR and MR are falls against the baseline, PD is a rise against the nadir. The first "
    )
    text += "measure of a name is its default; `--set NAME.measure=volume` takes another."
    limits = (row for c in found for row in _thresholds(c))
    out += section("Thresholds", text, ("name", "measure", "of", "PR", "MR", "PD"), limits)
    head = ("name", "measurable", "targets", "a new lesion", "reference of responses", "nadir from", "confirmation")
    out += section("Lesions and references", "", head, (_lesions(c) for c in found))
    text = "Where one is missing, the visit is NE; `imaging_only` still says what the images show."
    out += section(
        "Facts", text, ("name", "steroids", "clinical state", "T2/FLAIR", "eye, CSF"), (_needs(c) for c in found)
    )
    text = "Progression within them waits for another study."
    head = ("name", "window", "days", "decided after", "what that study shows", "rules that wait")
    out += section("Windows", text, head, ((f"`{c.id}`", w.name, *_window(w)) for c in found for w in c.windows))
    text = "Used, but not read in the primary source. *No default*: nobody could verify it, so only you can give it."
    notes = ((f"`{c.id}`", f"`{key}`", note) for c in found for key, note in c.unverified.items())
    unknown = ((f"`{c.id}`", f"`{key}`", f"*no default*: {note}") for c in found for key, note in c.unknown.items())
    out += section("Unverified", text, ("name", "setting", "what is known"), (*unknown, *notes))
    return [*out, *_settings(), *_response_tables()][:-1]


def section(title: str, text: str, header: Iterable[str], rows: Iterable[Iterable[object]]) -> list[str]:
    """Return a heading, a sentence where there is one, and a table."""
    return [f"## {title}", "", *([text, ""] if text else []), *table(header, rows)]


def _starred(criterion: Criterion, text: str, *keys: str) -> str:
    return f"{text} \\*" if text and any(key in criterion.unverified for key in keys) else text


def _percent(part: float) -> str:
    return f"{100 * part:.0f} %"


def _thresholds(criterion: Criterion) -> Iterator[tuple[str, ...]]:
    of = (" + " if criterion.pooled else ", ").join(c.value for c in criterion.compartments)
    for measure in sorted(Measure, key=lambda m: m is not criterion.measure):
        name, unit, limits = measure.value, UNITS[measure], getattr(criterion, measure.value)
        if limits is None:
            continue
        rise = f"+{_percent(limits.pd_rise)}"
        rise += f" and +{limits.pd_least:g} {unit}" if limits.pd_least else ""
        rise += f" and one lesion +{limits.pd_least_lesion:g} {unit}" if limits.pd_least_lesion else ""
        minor = f"−{_percent(limits.mr_fall)}" if limits.mr_fall else ""
        yield (
            *(f"`{criterion.id}`", f"{NAMES[measure]} ({unit})", of),
            _starred(criterion, f"−{_percent(limits.pr_fall)}", name, f"{name}.pr_fall"),
            _starred(criterion, minor, name, f"{name}.mr_fall"),
            _starred(criterion, rise, name, f"{name}.pd_rise", f"{name}.pd_least_lesion"),
        )


def _lesions(criterion: Criterion) -> tuple[str, ...]:
    size, days = criterion.size, criterion.confirm_response_days
    across = f" × {size.perp_mm:g}" if size and size.perp_mm else ""
    targets = "all" if criterion.targets == "all" else f"{criterion.max_targets} largest"
    if criterion.most_without and criterion.max_targets is None:
        targets = f"all, up to {criterion.most_without} a compartment; beyond, `max_targets` is asked for"
    new = {"pd": "PD", "measurable": "PD if measurable", "sum": "joins the sum"}[criterion.new_lesion]
    return (
        *(f"`{criterion.id}`", f"{size.long_mm:g}{across} mm, or {size.slices:g} × slice" if size else "any"),
        *(_starred(criterion, targets, "max_targets"), _starred(criterion, new, "add_new")),
        _starred(criterion, " or ".join(f"`{k}`" for k in criterion.baseline), "baseline"),
        " or ".join(f"`{k}`" for k in criterion.nadir_from) or "the same",
        _starred(criterion, f"{days} days" if days else "none", "confirm_response_days"),
    )


def _needs(criterion: Criterion) -> tuple[str, ...]:
    doses = {"all": "dose, also at the reference", "cr": "dose", "none": ""}[criterion.steroids]
    flair = {"always": "yes", "antiangiogenic": "read under an anti-angiogenic drug", "never": ""}[criterion.t2flair]
    yes = {True: "yes", False: ""}
    return f"`{criterion.id}`", doses, yes[criterion.clinical], flair, yes[criterion.eye_csf]


def _window(window: Window) -> tuple[str, ...]:
    days = "always" if window.since == "always" else f"0 to {window.days} since {window.since}".replace("_", " ")
    shows = {"same_reference": "progression again", "pending_scan": "further progression against the one that waits"}
    held = ", ".join(f"`{rule}`" for rule in window.holds) or "all"
    return days, f"{window.confirm_days} days", shows[window.against], held


def _settings() -> list[str]:
    text = "For `--set NAME.SETTING=VALUE`; a dot leads into a table: `rano-hgg.product.pd_rise=0.4`. The last rows "
    text += "lie in `product`, `longest` and `volume`."
    told = _numpy_parameters(Criterion.__doc__ or "")
    told = {name: told[name] for name in told if name in SETTABLE and name != "unknown"}
    told |= _numpy_parameters(Thresholds.__doc__ or "")
    alike: dict[str, list[str]] = {}
    for name, what in told.items():
        alike.setdefault(what.replace("``", "`"), []).append(f"`{name}`")
    return section(
        "Settings", text, ("setting", "what it is"), ((", ".join(names), what) for what, names in alike.items())
    )


def _response_tables() -> list[str]:
    """Return the columns of what ``respond`` reads and writes, and the rules that a verdict names."""
    text = (
        f"Required: {', '.join(f'`{c}`' for c in cells.REQUIRED)}, and {' or '.join(f'`{c}`' for c in cells.SIZES)}. "
    )
    text += "An empty cell is unknown; a size of 0 is a lesion that is gone; a missing row was not evaluated."
    header = ("column", "tells of", "values", "what it is")
    out = section("visits.csv", text, header, (_visits_column(column) for column in cells.COLUMNS))
    for name, columns in (("verdicts", VERDICT_COLUMNS), ("ttp", TIME_COLUMNS)):
        out += section(f"{name}.csv", "", ("column", "what it is"), ((f"`{c}`", MADE_COLUMNS[c]) for c in columns))
    rules = ((f"`{rule}`", says) for rule, says in RULES.items())
    out += section("Rules", "What `rule` in `verdicts.csv` says.", ("rule", "what it says"), rules)
    for name, methods in (("agreement", AGREEMENT), ("surrogate", SURROGATE)):
        rows = ((f"`{quantity}`", *method) for quantity, method in methods.items())
        out += section(f"{name}.csv", "", ("quantity", "unit", "what it is"), rows)
    return out


def _visits_column(column: str) -> tuple[str, ...]:
    if amount := cells.AMOUNTS.get(column):
        values = f"{amount.unit}, up to {amount.most:g}"
    elif column in cells._WORDS:
        values = " ".join(f"`{word}`" for word in cells._WORDS[column][1])
    else:
        values = "`YYYY-MM-DD`" if column in cells._DAYS else "text"
    of = {"patient_id": "patient"}.get(column, "visit" if column in ("date", *cells.OF_VISIT) else "lesion")
    return f"`{column}`", of, values, VISIT_COLUMNS[column]


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
