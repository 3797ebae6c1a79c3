"""One patient's way: every study's stages, then the report over all of them.

Why it exists: the case folder belongs to one patient. Before anything is written it is checked that it
is this one; afterwards it holds everything that a reader or the next run needs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tumorboard import __version__
from tumorboard.chain.methods import method_sentences
from tumorboard.chain.models import Asked, ModelsTrip
from tumorboard.chain.objects import write_objects
from tumorboard.chain.response import ResponseTrip, read_verdicts
from tumorboard.chain.told import warnings_of
from tumorboard.chain.trip import STAGES_OF, StudyTrip
from tumorboard.errors import OutputError
from tumorboard.intake import Decision
from tumorboard.provenance import software
from tumorboard.report.build import PatientHeader, StudyBundle, build_report
from tumorboard.report.html import render_html
from tumorboard.report.methods import methods_md
from tumorboard.report.model import Report
from tumorboard.report.pdf import render_pdf
from tumorboard.settings import RunSettings
from tumorboard.stages import STAGES, Listener, run_stage
from tumorboard.store import CaseFolder, StageRecord, digest, locked, write_atomic, write_json
from tumorboard.study import Event, PatientInput

STUDY_STAGES = STAGES_OF["report"]

REPORT_MODEL = ".stages/report_model.json"
"""The typed report, kept for what is rendered from it later."""


class PatientTrip:
    """All stages of one patient.

    Parameters
    ----------
    out : Path
        Output folder; the case folder is made below it.
    patient : PatientInput
        What intake found.
    decisions : tuple of Decision
        Why each file was taken; printed in the report.
    settings : RunSettings
        What the run was told.
    listen : callable
        Hears every stage.
    asked : Asked, optional
        Models that are asked.
    """

    def __init__(
        self,
        out: Path,
        patient: PatientInput,
        decisions: tuple[Decision, ...],
        settings: RunSettings,
        listen: Listener,
        asked: Asked | None = None,
    ) -> None:
        self.folder = CaseFolder(out, patient.pseudonym)
        settings = settings.model_copy(update={"digital": settings.digital or patient.digital})
        self.patient, self.settings, self._listen = patient, settings, listen
        self.decisions = tuple(d for d in decisions if d.patient == patient.pseudonym)
        self.trips = [StudyTrip(self.folder, study, settings, listen) for study in patient.studies]
        self.warnings: list[str] = []
        self._response = ResponseTrip(self.folder.root, self.trips, patient.events, settings.digital, listen)
        self._models = ModelsTrip(self.folder.root, asked, listen)

    def go(self, until: str) -> None:
        """Run every stage up to ``until``; what is whole already is kept.

        Raises
        ------
        InputError
            A study cannot be used, or the folder belongs to another patient; what was written stays.
        """
        self._check_apart()
        with locked(self.folder.root):
            self._check_owner()
            card = self.folder.root / "patient.json"
            if not card.exists():
                write_json(card, self._card())
            for trip in self.trips:
                trip.go(until)
                if len(self.trips) > 1:
                    trip.release()
            write_json(card, self._card())  # only now: a refused study changes nothing that is written
            if "segment" in STAGES_OF[until]:
                self.warnings += warnings_of(self.trips)
            if until == "report":
                judged = self._respond()
                asked = self._ask()
                report = {"report": self._report(judged, asked)}
                self._provenance(judged | asked | report | self._objects(judged | asked))

    def _card(self) -> dict[str, Any]:
        studies = [
            {
                "id": t.id,
                "date": t.date.isoformat() if t.date else None,
                "inputs": t.input_digests,
                "sequences": sorted(s.value for s in t.source.files),
            }
            for t in self.trips
        ]
        events = [_event(e) for e in self.patient.events]
        return {
            "pseudonym": self.patient.pseudonym,
            "identity": self.patient.identity,
            "digital": self.settings.digital,
            "studies": studies,
            "events": events,
        }

    def _check_apart(self) -> None:
        """Refuse input that lies in the case folder, where results would take its place."""
        place = self.folder.root.resolve()
        given = [choice.path for study in self.patient.studies for choice in study.files.values()]
        given += [study.labels.path for study in self.patient.studies if study.labels is not None]
        if any(
            place in (*path.resolve().parents, *path.parent.resolve().parents, path.parent.resolve()) for path in given
        ):
            raise OutputError(
                "an output folder apart from the input",
                got="input that lies in the patient's own case folder, where results would replace it",
                where="output",
                remedy="choose another --out, or copy the input elsewhere first",
            )

    def _check_owner(self) -> None:
        """Refuse a case folder whose identity differs, or that shares no study with this patient."""
        path = self.folder.root / "patient.json"
        if not path.exists():
            return
        try:
            there = json.loads(path.read_text())
            identity, studies = there["identity"], [s["inputs"] for s in there["studies"]]
        except (OSError, ValueError, KeyError, TypeError):
            identity, studies = "unreadable", []
        mine = [t.input_digests for t in self.trips]
        same = identity == self.patient.identity if identity and self.patient.identity else False
        if not same and not any(m in studies for m in mine):
            raise OutputError(
                "an output folder of this patient",
                got="a case folder of the same pseudonym that holds other images",
                where="output",
                remedy="choose another --out or --patient, or give all studies of the patient together",
            )

    def _respond(self) -> dict[str, StageRecord]:
        """Judge the studies together, where there are two with dates at least."""
        judged = self._response.go([digest(json.dumps(self._card(), sort_keys=True)), *self._digests()])
        self.warnings += self._response.warnings
        return judged

    def _ask(self) -> dict[str, StageRecord]:
        """Ask models about the patient, where any are to be asked."""
        asked = self._models.go([digest(json.dumps(self._card(), sort_keys=True)), *self._digests()])
        self.warnings += self._models.warnings
        return asked

    def _digests(self) -> list[str]:
        """Return the digests of everything that was prepared, outlined and measured."""
        return [d for t in self.trips for s in STUDY_STAGES for _, d in sorted(t.records[s].outputs.items())]

    def _report(self, judged: dict[str, StageRecord], asked: dict[str, StageRecord]) -> StageRecord:
        facts = {
            "events": [_event(e) for e in self.patient.events],
            "dates": [t.date.isoformat() if t.date else None for t in self.trips],
            "decisions": [vars(d) for d in self.decisions],
            "settings": self.settings.model_dump(),
            "software": software(__version__),
        }
        parts = [*self._digests(), digest(json.dumps(facts, sort_keys=True))]
        parts += [d for record in (judged | asked).values() for _, d in sorted(record.outputs.items())]
        write = partial(self._write_report, bool(judged), bool(asked))
        return run_stage(STAGES["report"], "patient", self.folder.root, parts, write, self._listen)

    def _write_report(self, judged: bool, asked: bool) -> list[Path]:
        response = self._response.section() if judged else None
        models = self._models.section() if asked else None
        report = build_report(self._header(asked), self._bundles(), response, models)
        root = self.folder.root
        write_atomic(root / "report.html", render_html(report))
        write_atomic(root / "methods.md", methods_md(report))
        write_atomic(root / REPORT_MODEL, report.model_dump_json())
        written = [root / "report.html", root / "methods.md", root / REPORT_MODEL]
        pdf = render_pdf(report)
        if pdf.data is None:
            self.warnings.append(pdf.reason)
            (root / "report.pdf").unlink(missing_ok=True)
            return written
        write_atomic(root / "report.pdf", pdf.data)
        return [*written, root / "report.pdf"]

    def _objects(self, judged: dict[str, StageRecord]) -> dict[str, StageRecord]:
        """Run the stage that writes DICOM objects, where a study came as DICOM."""
        if not any(choice.series for t in self.trips for choice in t.source.files.values()):
            return {}
        record = StageRecord.read(self.folder.root / ".stages" / "patient_report.json")
        outputs = [r.outputs if r else {} for r in (record, *judged.values())]
        parts = [json.dumps(outputs, sort_keys=True), self.settings.model_dump_json()]
        made = run_stage(STAGES["dicom"], "patient", self.folder.root, parts, self._write_objects, self._listen)
        return {"dicom": made}

    def _write_objects(self) -> list[Path]:
        root = self.folder.root
        report = Report.model_validate_json((root / REPORT_MODEL).read_text())
        pdf = (root / "report.pdf").read_bytes() if (root / "report.pdf").exists() else None
        dated = [(t.date, t.id) for t in self.trips if t.date is not None]
        latest, name = max(dated, default=(None, ""))
        verdicts = [v for v in read_verdicts(root) if v.date == latest]
        written = []
        for trip in self.trips:
            written += write_objects(trip, report, pdf, self.settings, verdicts if trip.id == name else ())
            if len(self.trips) > 1:
                trip.release()
        return written

    def _header(self, asked: bool) -> PatientHeader:
        return PatientHeader(
            pseudonym=self.patient.pseudonym,
            events=self.patient.events,
            software_version=__version__,
            settings=self.settings.model_dump() | {"software": software(__version__)},
            methods=[*method_sentences(self.trips), *(self._models.sentences() if asked else ())],
            costs=[
                (name, t.id, t.records[name].cost["cpu_s"], t.records[name].cost["peak_mib"])
                for t in self.trips
                for name in STUDY_STAGES
            ],
            digital=self.settings.digital,
        )

    def _bundles(self) -> Iterator[StudyBundle]:
        for trip in self.trips:
            yield trip.bundle(self.decisions)
            if len(self.trips) > 1:
                trip.release()

    def _provenance(self, last: dict[str, StageRecord]) -> None:
        stages = [
            {"stage": name, "study": t.id, "key": t.records[name].key, "cost": dict(t.records[name].cost)}
            | {"outputs": dict(t.records[name].outputs)}
            for t in self.trips
            for name in STUDY_STAGES
        ]
        for name, record in last.items():
            stages.append({"stage": name, "study": "patient", "key": record.key, "cost": dict(record.cost)})
        content = {
            "software": software(__version__),
            "settings": self.settings.model_dump(),
            "inputs": {t.id: t.input_digests for t in self.trips},
            "stages": stages,
        }
        write_json(self.folder.root / "provenance.json", content)


def _event(event: Event) -> dict[str, Any]:
    return {
        "date": event.date.isoformat(),
        "end_date": event.end_date.isoformat() if event.end_date else None,
        "event": event.kind.value,
        "value": event.value,
        "unit": event.unit,
        "detail": event.detail,
    }
