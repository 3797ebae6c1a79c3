"""From a correction to new results: the real chain in a worker, SEG and SR superseded, verdict files made anew."""

from __future__ import annotations

import shutil

import numpy as np
import pydicom
import pytest
from pydicom.misc import is_dicom

from tumorboard.serve.data.tables import Job, Result, Study
from tumorboard.serve.data.words import ResultState, StudyState
from tumorboard.serve.jobs.work import Worker
from tumorboard.serve.node.complete import complete_studies
from tumorboard.serve.outlines.places import place_of
from tumorboard.serve.settings import JobSettings, NodeSettings
from tumorboard.serve.shelf.admit import admit

pytestmark = pytest.mark.slow


@pytest.fixture
def worked(settings, db, shelf, coarse_dicom):
    """A digital patient's first DICOM study in the department, worked on; and a way to work on what is due."""
    told = settings.model_copy(update={"jobs": JobSettings(segmenter="fuzzy")})
    objects = [path for path in sorted(coarse_dicom.rglob("*")) if path.is_file() and is_dicom(path)]
    first = _header(objects[0]).StudyInstanceUID
    for number, path in enumerate(objects):
        if _header(path).StudyInstanceUID == first:
            shutil.copyfile(path, shelf.incoming / f"{number}.dcm")
            admit(db, shelf, shelf.incoming / f"{number}.dcm", sender="SCANNER")

    def work() -> None:
        complete_studies(db, NodeSettings(quiet_seconds=1e-9))
        with db.read() as session:
            jobs = [job.id for job in session.query(Job)]
        for job in jobs:
            Worker(told, db, "w").look(job)

    work()
    return work


def _header(path):
    return pydicom.dcmread(path, stop_before_pixels=True)


def test_an_accepted_correction_makes_new_results_and_keeps_the_old(worked, settings, db, shelf):
    from tumorboard.chain.correction import Correction
    from tumorboard.io.images import read_volume
    from tumorboard.labels import LabelMap
    from tumorboard.serve.data.people import User
    from tumorboard.serve.data.words import EditState, Role
    from tumorboard.serve.outlines.renew import renew
    from tumorboard.serve.outlines.versions import add_version, mask_file

    with db.begin() as session:
        study = session.query(Study).one()
        assert study.state is StudyState.DONE, study.reason
        before = {r.name: r.uid for r in study.results}
        place = place_of(settings, study)
        read = read_volume(place.folder.seg(place.session, "dseg.nii.gz"))
        data = read.data.copy()
        box = tuple(slice(n // 2 - 3, n // 2 + 3) for n in data.shape)
        added = int((data[box] != 3).sum())
        data[box] = 3
        old = LabelMap(read.data, read.grid).volume_ml("ET")
        session.add(User(id=1, name="reader", password="-", role=Role.READER))
        session.flush()
        correction = Correction(corrects="fuzzy 1")
        file = mask_file(settings, study, LabelMap(data, read.grid), correction)
        add_version(session, study, 1, file, {}, "", EditState.ACCEPTED)
        assert renew(session, study) == 1
    worked()
    with db.read() as session:
        study = session.query(Study).one()
        assert (study.state, study.version) == (StudyState.DONE, 2), study.reason
        assert np.array_equal(read_volume(place.folder.seg(place.session, "dseg.nii.gz")).data, data)
        results = session.query(Result).all()
        holding = {r.name: r for r in results if r.state is ResultState.CURRENT}
        assert {r.version for r in holding.values()} == {2}
        assert all(r.uid != before.get(r.name) for n, r in holding.items() if n in ("seg", "sr"))
        assert {r.uid for r in results if r.state is ResultState.SUPERSEDED} >= {before["seg"], before["sr"]}
        assert holding["seg"].cards == ["corrected fuzzy 1"]
        seg = pydicom.dcmread(shelf.path(study.key, holding["seg"].instance.series.key, holding["seg"].instance.key))
        assert {s.SegmentAlgorithmType for s in seg.SegmentSequence} == {"SEMIAUTOMATIC"}
        listed = (place.folder.session(place.session) / "measurements.json").read_text()
        from tumorboard.measurement import StudyMeasurements

        new = StudyMeasurements.model_validate_json(listed).get("volume", "ET").value
        assert new == pytest.approx(old + added * read.grid.voxel_volume_ml)
        assert "corrected" in (place.folder.root / "report.html").read_text()
