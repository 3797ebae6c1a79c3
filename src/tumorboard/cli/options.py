"""Options that all chain commands share, and the commands ``run``, ``segment``, ``measure``, ``detect``, ``validate``.

Why it exists: the same words mean the same in each command.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tumorboard.defaults import DETECTOR, SEGMENTER
from tumorboard.errors import InputError, LabelError, SequenceError

if TYPE_CHECKING:
    from tumorboard.intake import IntakeRequest

SERIES = re.compile(r"[0-9]{1,9}|[0-9]+(?:\.[0-9]+)+")
"""A DICOM series by its number or its UID."""

_NAMED = "Images by sequence"
_OWN = "What you know"
_ASKED = "Trained models (research output)"

Inputs = Annotated[
    list[Path] | None,
    typer.Argument(
        help="Folders, files or zips: DICOM, BIDS, BraTS or loosely named; one or several patients.", show_default=False
    ),
]
Out = Annotated[Path, typer.Option("--out", "-o", help="Output folder, outside the input.", show_default=False)]
T1 = Annotated[Path | None, typer.Option("--t1", help="T1 before contrast.", rich_help_panel=_NAMED)]
T1C = Annotated[Path | None, typer.Option("--t1c", help="T1 after contrast.", rich_help_panel=_NAMED)]
T2 = Annotated[Path | None, typer.Option("--t2", help="T2.", rich_help_panel=_NAMED)]
Flair = Annotated[Path | None, typer.Option("--flair", help="FLAIR.", rich_help_panel=_NAMED)]
Named = Annotated[
    list[str] | None,
    typer.Option(
        "--sequence",
        metavar="NAME=FILE",
        help="Take FILE, or the DICOM series of that number, for NAME, overruling.",
        rich_help_panel=_NAMED,
    ),
]
Labels = Annotated[
    Path | None,
    typer.Option("--labels", help="Your own masks: an image and --scheme, or a DICOM SEG.", rich_help_panel=_OWN),
]
BrainMask = Annotated[
    Path | None,
    typer.Option("--brain-mask", help="Your own brain mask, on the reference sequence.", rich_help_panel=_OWN),
]
SchemeName = Annotated[
    str | None, typer.Option("--scheme", help="What the values of --labels mean.", rich_help_panel=_OWN)
]
Events = Annotated[Path | None, typer.Option("--events", help="Table of events (CSV).", rich_help_panel=_OWN)]
Date = Annotated[str | None, typer.Option("--date", help="Date of a single study, ISO.", rich_help_panel=_OWN)]
Patient = Annotated[str | None, typer.Option("--patient", help="Pseudonym of the patient.", rich_help_panel=_OWN)]
Segmenter = Annotated[
    str,
    typer.Option(
        "--segmenter",
        help="fuzzy (no training), glioma (network), a folder with a bundle, an nnU-Net v2 model or a MONAI bundle; "
        "several with + between are fused (joined:A+B, mean:A+B, staple:A+B, majority:A+B).",
    ),
]

AskedModels = Annotated[
    list[Path] | None,
    typer.Option(
        "--models",
        help="Folder with a model of `lab run`, to be asked about the patient; may be repeated.",
        rich_help_panel=_ASKED,
        show_default=False,
    ),
]
Clinical = Annotated[
    list[Path] | None,
    typer.Option(
        "--clinical",
        help="Table by patient (CSV or TSV) for these models: age, markers, expression; may be repeated.",
        rich_help_panel=_ASKED,
        show_default=False,
    ),
]

Method = Annotated[
    str,
    typer.Option("--method", help="joined, metastases (a network), template (no training), or a folder with a bundle."),
]

_HELP = {
    "segment": "Prepare and segment only.",
    "measure": "Prepare, segment and measure; no report.",
}


def request_of(
    inputs: list[Path] | None,
    explicit: dict[str, Path | None],
    named: list[str] | None,
    own: tuple[Path | None, str | None, Path | None, str | None, str | None],
    brain_mask: Path | None = None,
) -> IntakeRequest:
    """Return what the user asked for.

    Raises
    ------
    InputError
        Nothing was given, ``--labels`` stands without ``--scheme``, a bad date, or a bad NAME=FILE.
    """
    from tumorboard.intake import IntakeRequest
    from tumorboard.sequences import TAKEN, Sequence

    labels, scheme, events, date, patient = own
    if labels is None and scheme is not None:
        from tumorboard.labels import SCHEMES

        raise LabelError("--labels and --scheme together", got="one of them", remedy=f"schemes: {', '.join(SCHEMES)}")
    sequences = {Sequence.of(name): path for name, path in explicit.items() if path is not None}
    series: dict[Sequence, str] = {}
    for text in named or []:
        name, equals, file = text.partition("=")
        if not equals or not file:
            told = "no name, or no file after it"
            raise SequenceError("NAME=FILE", got=told, where="--sequence", remedy="write T1C=FILE, for instance")
        try:
            sequence = Sequence.of(name)
        except ValueError as error:
            known = f"NAME to be one of {', '.join(s.value for s in TAKEN)}"
            raise SequenceError(known, got="another", where="--sequence", remedy="use one of those") from error
        if inputs and SERIES.fullmatch(file) and not Path(file).exists():
            series[sequence] = file
        else:
            sequences[sequence] = Path(file)
    if not inputs and not sequences:
        raise SequenceError("a folder, files, or --t1 --t1c --t2 --flair", got="nothing", remedy="see --help")
    given = (labels, scheme, events, _date(date), patient)
    return IntakeRequest(tuple(inputs or ()), sequences, *given, series=series, brain_mask=brain_mask)


def _date(text: str | None) -> dt.date | None:
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        told = "write year, month and day with dashes"
        raise InputError("an ISO date (YYYY-MM-DD)", got="something else", where="--date", remedy=told) from error


def _chain_command(until: str) -> Callable[..., None]:
    def command(
        out: Out,
        inputs: Inputs = None,
        t1: T1 = None,
        t1c: T1C = None,
        t2: T2 = None,
        flair: Flair = None,
        sequence: Named = None,
        labels: Labels = None,
        scheme: SchemeName = None,
        brain_mask: BrainMask = None,
        events: Events = None,
        date: Date = None,
        patient: Patient = None,
        segmenter: Segmenter = SEGMENTER,
    ) -> None:
        from tumorboard.cli.show import run_and_show
        from tumorboard.segment.named import segmenter_of
        from tumorboard.settings import RunSettings

        segmenter_of(segmenter)
        explicit = {"T1": t1, "T1C": t1c, "T2": t2, "FLAIR": flair}
        request = request_of(inputs, explicit, sequence, (labels, scheme, events, date, patient), brain_mask)
        run_and_show(request, out, RunSettings(segmenter=segmenter), until)

    command.__doc__ = _HELP[until]
    return command


def _run(
    out: Out,
    inputs: Inputs = None,
    t1: T1 = None,
    t1c: T1C = None,
    t2: T2 = None,
    flair: Flair = None,
    sequence: Named = None,
    labels: Labels = None,
    scheme: SchemeName = None,
    brain_mask: BrainMask = None,
    events: Events = None,
    date: Date = None,
    patient: Patient = None,
    segmenter: Segmenter = SEGMENTER,
    models: AskedModels = None,
    clinical: Clinical = None,
) -> None:
    """Run the whole chain: from images to measurements and the report."""
    from tumorboard.cli.show import run_and_show
    from tumorboard.segment.named import segmenter_of
    from tumorboard.settings import RunSettings

    segmenter_of(segmenter)
    explicit = {"T1": t1, "T1C": t1c, "T2": t2, "FLAIR": flair}
    request = request_of(inputs, explicit, sequence, (labels, scheme, events, date, patient), brain_mask)
    asked = {"models": tuple(map(str, models or ())), "clinical": tuple(map(str, clinical or ()))}
    run_and_show(request, out, RunSettings(segmenter=segmenter, **asked), "report")


def _detect(
    out: Out,
    inputs: Inputs = None,
    t1: T1 = None,
    t1c: T1C = None,
    t2: T2 = None,
    flair: Flair = None,
    sequence: Named = None,
    brain_mask: BrainMask = None,
    date: Date = None,
    patient: Patient = None,
    method: Method = DETECTOR,
) -> None:
    """Prepare, and find brain metastases one by one: a number map, a table with scores, a picture."""
    from tumorboard.cli.found import show_found
    from tumorboard.cli.show import run_and_show
    from tumorboard.detect import detector_of
    from tumorboard.settings import RunSettings

    detector_of(method)
    explicit = {"T1": t1, "T1C": t1c, "T2": t2, "FLAIR": flair}
    request = request_of(inputs, explicit, sequence, (None, None, None, date, patient), brain_mask)
    show_found(run_and_show(request, out, RunSettings(detector=method), "detect").folders)


def _validate(
    inputs: Inputs = None,
    t1: T1 = None,
    t1c: T1C = None,
    t2: T2 = None,
    flair: Flair = None,
    sequence: Named = None,
    labels: Labels = None,
    scheme: SchemeName = None,
    brain_mask: BrainMask = None,
    events: Events = None,
    date: Date = None,
    patient: Patient = None,
) -> None:
    """Check, before a run, whether a run would be sound; exit code 2 when it would not."""
    from tumorboard.cli.preflight import preflight

    explicit = {"T1": t1, "T1C": t1c, "T2": t2, "FLAIR": flair}
    preflight(request_of(inputs, explicit, sequence, (labels, scheme, events, date, patient), brain_mask))


def register_chain_commands(app: typer.Typer) -> None:
    """Enrol ``run``, ``segment``, ``measure``, ``detect`` and ``validate``."""
    app.command("run")(_run)
    app.command("segment", help=_HELP["segment"])(_chain_command("segment"))
    app.command("measure", help=_HELP["measure"])(_chain_command("measure"))
    app.command("detect")(_detect)
    app.command("validate")(_validate)
