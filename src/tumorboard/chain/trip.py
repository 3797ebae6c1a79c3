"""One study's way through the stages, resumable at each of them.

Why it exists: what a stage needs is either still in memory or read back from the case folder; callers
need not know which.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from tumorboard.chain.correction import corrected, read_correction
from tumorboard.chain.detections import save_detections
from tumorboard.chain.outline import outline_by_own_masks, outline_by_segmenter, with_native
from tumorboard.chain.saved import (
    Outlined,
    files_of,
    load_measured,
    load_outlined,
    load_refused,
    load_study,
    read_json,
    save_measured,
    save_outlined,
    save_prepared,
    source_card,
)
from tumorboard.detect import detector_of
from tumorboard.errors import FileFormatError
from tumorboard.intake import Decision
from tumorboard.io.images import orientation_note, read_volume
from tumorboard.measure.study import Measured, measure_study
from tumorboard.measurement import StudyMeasurements
from tumorboard.prepare.prepare import prepare, read_study_with_notes
from tumorboard.report.bundle import StudyBundle
from tumorboard.segment.named import segmenter_of
from tumorboard.settings import RunSettings
from tumorboard.stages import STAGES, Listener, run_stage
from tumorboard.store import CaseFolder, StageRecord, digest, digest_file
from tumorboard.study import FileChoice, Study, StudyInput

STAGES_OF: dict[str, tuple[str, ...]] = {
    "prepare": ("prepare",),
    "detect": ("prepare", "detect"),
    "segment": ("prepare", "segment"),
    "measure": ("prepare", "segment", "measure"),
    "report": ("prepare", "segment", "measure"),
}
"""What a study goes through, by what is asked for; a report is of the whole patient."""


class StudyTrip:
    """The stages of one study.

    Parameters
    ----------
    folder : CaseFolder
        Where results lie.
    source : StudyInput
        What intake found.
    settings : RunSettings
        What the run was told.
    listen : callable
        Hears every stage.
    """

    def __init__(self, folder: CaseFolder, source: StudyInput, settings: RunSettings, listen: Listener) -> None:
        self.folder, self.source, self.settings, self._listen = folder, source, settings, listen
        self.records: dict[str, StageRecord] = {}
        self._study: Study | None = None
        self._outlined: Outlined | None = None
        self._measured: tuple[Measured, StudyMeasurements] | None = None

    @property
    def id(self) -> str:
        """The study's id, ``ses-01`` and so on."""
        return self.source.id

    @property
    def date(self) -> dt.date | None:
        """When the study was acquired."""
        return self.source.date

    @cached_property
    def input_digests(self) -> dict[str, str]:
        """Digest of every sequence's file, with what lies beside a detached header, or of all files of its series."""
        return {s.value: _digest_choice(choice, s.value) for s, choice in sorted(self.source.files.items())}

    def go(self, until: str) -> None:
        """Run the study's stages of what is asked for, a name of :data:`STAGES_OF`."""
        steps: dict[str, tuple[Callable[[], list[str]], Callable[[], list[Path]]]] = {
            "prepare": (lambda: [json.dumps(self.input_digests), *self._mask_key()], self._prepare),
            "detect": (lambda: [*self._digests("prepare"), *self._detector_key()], self._detect),
            "segment": (lambda: [*self._digests("prepare"), *self._outline_key()], self._segment),
            "measure": (lambda: [*self._digests("prepare", "segment"), self.folder.pseudonym], self._measure),
        }
        for name in STAGES_OF[until]:
            key_parts, work = steps[name]
            self.records[name] = run_stage(STAGES[name], self.id, self.folder.root, key_parts(), work, self._listen)

    def release(self) -> None:
        """Let go of the voxels; they are read back when they are wanted."""
        self._study = self._outlined = self._measured = None

    def study(self) -> Study:
        """Return the prepared study, from memory or disk."""
        if self._study is None:
            self._study = load_study(self.folder, self.id)
        return self._study

    def outlined(self) -> Outlined:
        """Return the segmentation, from memory or disk."""
        if self._outlined is None:
            self._outlined = with_native(load_outlined(self.folder, self.study()), self.study())
        return self._outlined

    def measured(self) -> tuple[Measured, StudyMeasurements]:
        """Return the measurements, from memory or disk."""
        if self._measured is None:
            self._measured = load_measured(self.folder, self.study())
        return self._measured

    def bundle(self, decisions: tuple[Decision, ...]) -> StudyBundle:
        """Return what the report needs of this study."""
        measured, listed = self.measured()
        told = self.outlined().told
        return StudyBundle(
            study=self.study(),
            date=self.date,
            labels=self.outlined().segmented.labels,
            lesions=measured.lesions.numbers,
            measurements=listed,
            diameters=measured.diameters,
            decisions=[(d.role, d.name, d.reason) for d in decisions if d.study == self.id],
            warnings=list(listed.warnings),
            segmenter_name=str(told["title"]),
            labels_origin=str(told["origin"]),
            quality=read_json(self.folder.session(self.id) / "quality.json"),
            refused=load_refused(self.folder, self.id),
            protocol=self.source.protocol,
        )

    def _prepare(self) -> list[Path]:
        volumes, notes = read_study_with_notes(self.source)
        unsure = {s.value: orientation_note(c.path) for s, c in self.source.files.items() if c.series is None}
        notes += tuple(f"{name}: {note}." for name, note in unsure.items() if note)
        own = self.source.brain_mask
        mask = None if own is None else read_volume(own, "brain mask")
        prepared = prepare(self.id, volumes, notes, mask)
        source = {
            s.value: source_card(choice, volumes[s], self.input_digests[s.value])
            for s, choice in self.source.files.items()
        }
        self._study = prepared.study
        return save_prepared(self.folder, prepared, source)

    def _segment(self) -> list[Path]:
        labels = self.source.labels
        if labels is None:
            self._outlined = outline_by_segmenter(self.study(), self.settings.segmenter)
        else:
            own = outline_by_own_masks(self.study(), labels)
            self._outlined = own if labels.correction is None else corrected(own, read_correction(labels.correction))
        self._outlined = with_native(self._outlined, self.study())
        return save_outlined(self.folder, self.study(), self._outlined)

    def _detect(self) -> list[Path]:
        return save_detections(self.folder, self.study(), detector_of(self.settings.detector).detect(self.study()))

    def _measure(self) -> list[Path]:
        study, outlined = self.study(), self.outlined()
        measured = measure_study(study, outlined.segmented, files_of(self.folder, self.id))
        told = outlined.told
        listed = StudyMeasurements(
            patient=self.folder.pseudonym,
            study=self.id,
            sequences=tuple(s.value for s in study.volumes),
            segmenter=f"{told['id']} {told['version']}",
            measurements=measured.measurements,
            warnings=(*read_json(self.folder.session(self.id) / "quality.json")["notes"], *told["warnings"]),
        )
        self._measured = (measured, listed)
        return save_measured(self.folder, measured, listed, study)

    def _outline_key(self) -> list[str]:
        labels = self.source.labels
        if labels is not None:
            told = [] if labels.correction is None else [_digest_image(labels.correction, "correction")]
            return ["own masks", labels.scheme, _digest_image(labels.path, "labels"), *told]
        return [self.settings.segmenter, segmenter_of(self.settings.segmenter).card.version]

    def _detector_key(self) -> list[str]:
        return [self.settings.detector, detector_of(self.settings.detector).card.version]

    def _mask_key(self) -> list[str]:
        own = self.source.brain_mask
        return [] if own is None else ["own brain mask", _digest_image(own, "brain mask")]

    def _digests(self, *stages: str) -> list[str]:
        return [d for s in stages for _, d in sorted(self.records[s].outputs.items())]


def _digest_choice(choice: FileChoice, where: str) -> str:
    """Digest what a sequence was read from; the files of a series in order, whatever they are called."""
    if choice.series is None:
        return _digest_image(choice.path, where)
    return digest(*(_digest_image(path, where) for path in choice.series.files))


def _digest_image(path: Path, where: str) -> str:
    """Digest an image file; a detached header counts together with the files of its name."""
    try:
        if path.suffix.lower() in (".nhdr", ".mhd"):
            beside = sorted(p for p in path.parent.iterdir() if p.stem == path.stem and p.is_file())
            return " ".join(digest_file(p) for p in beside)
        return digest_file(path)
    except OSError as error:
        raise FileFormatError("a file that can be opened", got=type(error).__name__, where=where) from error
