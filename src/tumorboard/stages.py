"""The table of stages, and how one is run: skipped when whole, recorded when done.

Why it exists: chain, batch and serve read the same table, and a stage that was killed is simply run
again. A stage's key is a hash of its inputs, its settings and its version; its record is written last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tumorboard.provenance import Cost, measured_cost
from tumorboard.store import StageRecord, digest, digest_file


@dataclass(frozen=True)
class Stage:
    """One stage of the chain.

    Parameters
    ----------
    name, version : str
        The version changes whenever the stage's outputs may change.
    scope : str
        ``study`` or ``patient``.
    inputs, outputs : str
        In words, for people.
    bytes_per_voxel : int
        Estimated peak memory by voxel of the working grid, four sequences.
    """

    name: str
    version: str
    scope: str
    inputs: str
    outputs: str
    bytes_per_voxel: int

    def memory_mib(self, voxels: int) -> float:
        """Estimated peak memory in MiB for a working grid of that many voxels."""
        return BASE_MIB + voxels * self.bytes_per_voxel / 2**20


BASE_MIB = 300.0
"""Python and its libraries, before any voxel is read; measured."""

STAGES: dict[str, Stage] = {
    s.name: s
    for s in (
        Stage("prepare", "2", "study", "the study's files", "anat/, xfm/, quality.json, source.json", 160),
        Stage("segment", "2", "study", "anat/, xfm/, or the user's masks", "seg/*_dseg, *_probseg, native/", 130),
        Stage("detect", "1", "study", "anat/", "seg/*_detections.nii.gz, .json, .csv, .jpg", 160),
        Stage("measure", "4", "study", "anat/, seg/", "measurements.json, .csv, diameters.json, *_lesions", 130),
        Stage(
            "respond",
            "1",
            "patient",
            "every study's measurements, events",
            "verdicts.csv, ttp.csv, criteria.json, surgery.json",
            40,
        ),
        Stage("models", "1", "patient", "models, studies' results, tables", "models.json, models.csv, models/", 130),
        Stage("report", "6", "patient", "every study's results, events", "report.html, report.pdf, methods.md", 130),
        Stage("dicom", "2", "patient", "results of a study that came as DICOM", "dicom/ (SEG, SR, PDF, captures)", 60),
    )
}
"""Every stage in order. One line enrols another."""


@dataclass(frozen=True)
class Step:
    """What a listener hears: a stage that starts, is done, or was already whole (``kept``)."""

    stage: str
    study: str
    state: str
    cost: Cost | None = None


Listener = Callable[[Step], None]


def silent(_: Step) -> None:
    """Hear nothing."""


def run_stage(
    stage: Stage,
    study: str,
    root: Path,
    key_parts: Iterable[str],
    work: Callable[[], Iterable[Path]],
    listen: Listener = silent,
) -> StageRecord:
    """Run a stage unless its outputs are whole under the same key; return its record.

    Parameters
    ----------
    stage : Stage
        Which.
    study : str
        ``ses-01`` …, or ``patient``.
    root : Path
        The patient's folder; records lie in ``.stages/``.
    key_parts : iterable of str
        Digests of inputs and settings.
    work : callable
        Does the stage and returns the files it wrote (below ``root``).
    listen : callable
        Hears the start and the end.

    Returns
    -------
    StageRecord
        Key, digests of the outputs, and cost: the new one, or that which was kept.

    Notes
    -----
    Files that the stage wrote when it last ran and now does not (a sequence was left out) are removed.

    Examples
    --------
    >>> import tempfile
    >>> stage, states = STAGES["measure"], []
    >>> with tempfile.TemporaryDirectory() as d:
    ...     made = Path(d) / "measurements.json"
    ...     for _ in range(2):
    ...         listen = lambda step: states.append(step.state)
    ...         record = run_stage(stage, "ses-01", Path(d), ["key"], lambda: made.write_text("{}") and [made], listen)
    >>> states
    ['start', 'done', 'kept']
    """
    key = digest(stage.name, stage.version, *key_parts)
    path = root / ".stages" / f"{study}_{stage.name}.json"
    record = StageRecord.read(path)
    if record is not None and record.whole(root, key):
        listen(Step(stage.name, study, "kept", Cost(**record.cost)))
        return record
    listen(Step(stage.name, study, "start"))
    with measured_cost() as cost:
        written = list(work())
    outputs = {p.relative_to(root).as_posix(): digest_file(p) for p in sorted(written)}
    kept = {"cpu_s": round(cost.cpu_s, 2), "peak_mib": round(cost.peak_mib, 1)}
    if record is not None:
        _remove_stale(root, set(record.outputs) - set(outputs))
    record = StageRecord(key, outputs, kept)
    record.write(path)
    listen(Step(stage.name, study, "done", Cost(**kept)))
    return record


def forget_stage(stage: Stage, study: str, root: Path) -> None:
    """Remove what a stage wrote in an earlier run, for when there is no longer anything to make it from.

    Parameters
    ----------
    stage, study, root
        As for :func:`run_stage`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as d:
    ...     made = Path(d) / "verdicts.csv"
    ...     _ = run_stage(STAGES["respond"], "patient", Path(d), ["key"], lambda: made.write_text("") or [made])
    ...     forget_stage(STAGES["respond"], "patient", Path(d))
    ...     made.exists()
    False
    """
    path = root / ".stages" / f"{study}_{stage.name}.json"
    record = StageRecord.read(path)
    _remove_stale(root, record.outputs if record else ())
    path.unlink(missing_ok=True)


def _remove_stale(root: Path, names: Iterable[str]) -> None:
    """Remove what the stage's last run wrote and this one did not, so that no result outlives its input."""
    inside = root.resolve()
    for name in names:
        path = (root / name).resolve()
        if inside in path.parents:
            path.unlink(missing_ok=True)
