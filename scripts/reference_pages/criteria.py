"""The page of every response criterion."""

from __future__ import annotations

from collections.abc import Iterator

from reference_pages.columns import MADE_COLUMNS, VISIT_COLUMNS
from reference_pages.words import MADE, numpy_parameters, section
from tumorboard.respond import CRITERIA, Criterion, read_criterion
from tumorboard.respond.cohort.compare import METHODS as AGREEMENT
from tumorboard.respond.cohort.surrogate import METHODS as SURROGATE
from tumorboard.respond.criterion import _SETTABLE as SETTABLE
from tumorboard.respond.criterion import NAMES, UNITS, Measure, Thresholds, Window
from tumorboard.respond.engine.words import RULES
from tumorboard.respond.table import cells
from tumorboard.respond.table.write import TIME_COLUMNS, VERDICT_COLUMNS


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
    told = numpy_parameters(Criterion.__doc__ or "")
    told = {name: told[name] for name in told if name in SETTABLE and name != "unknown"}
    told |= numpy_parameters(Thresholds.__doc__ or "")
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
