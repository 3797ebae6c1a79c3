"""Objects on the shelf: new, twice, late, replaced, renamed, unreadable; nothing lost, nothing said."""

from __future__ import annotations

import shutil

import pydicom
import pytest
from sqlalchemy import func, select

from tumorboard.errors import FileFormatError
from tumorboard.serve.data.tables import Instance, Patient, Series, Study
from tumorboard.serve.data.words import InstanceState, Origin, StudyState
from tumorboard.serve.shelf.admit import admit, files_of
from tumorboard.serve.shelf.header import read_header
from tumorboard.serve.shelf.rows import Coming


def count(db, table):
    with db.read() as session:
        return session.scalar(select(func.count()).select_from(table))


def the(db, table, **by):
    with db.read() as session:
        return session.scalars(select(table).filter_by(**by)).one()


def set_state(db, state):
    with db.begin() as session:
        session.scalars(select(Study)).one().state = state


def test_an_object_lies_on_the_shelf_as_it_came(put, db, shelf, make_object):
    ds = make_object()
    assert put(ds).coming is Coming.NEW
    with db.read() as session:
        ((instance, file),) = files_of(shelf, session.scalars(select(Study)).one())
    assert pydicom.dcmread(file) == ds
    assert (instance.sender, instance.number, instance.rows, instance.frames) == ("SCANNER", 1, 4, None)
    assert list(shelf.incoming.iterdir()) == []
    patient = the(db, Patient)
    assert (patient.patient_id, patient.name, patient.birth_date, patient.sex) == ("P1", "Secret^P1", "19500102", "F")


def test_no_name_on_disk_identifies_anybody(put, settings, make_object):
    ds = make_object()
    put(ds)
    names = "".join(str(p.relative_to(settings.home)) for p in settings.home.rglob("*"))
    for said in (ds.PatientID, "Secret", ds.StudyDate, ds.StudyInstanceUID, ds.AccessionNumber):
        assert said not in names


def test_a_duplicate_changes_nothing(put, db, shelf, make_object):
    put(make_object())
    set_state(db, StudyState.DONE)
    again = put(make_object())
    assert (again.coming, again.reopened, count(db, Instance)) == (Coming.DUPLICATE, False, 1)
    assert the(db, Study).state is StudyState.DONE
    assert list(shelf.incoming.iterdir()) == []


def test_the_same_object_in_another_transfer_syntax_is_a_duplicate(put, db, make_object):
    put(make_object())
    ds = make_object()
    ds.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
    ds._set_pixel_representation = None
    again = pydicom.Dataset(ds)
    again.file_meta, again.preamble = ds.file_meta, ds.preamble
    assert put(again).coming is Coming.DUPLICATE


@pytest.mark.parametrize("state", [StudyState.DONE, StudyState.RUNNING, StudyState.ATTENTION, StudyState.QUEUED])
def test_a_late_object_reopens_its_study(put, db, make_object, state):
    put(make_object())
    set_state(db, state)
    assert put(make_object(2)).reopened
    assert the(db, Study).state is StudyState.RECEIVING


def test_another_content_under_the_same_uid_replaces(put, db, shelf, make_object):
    put(make_object(pixels=1))
    assert put(make_object(pixels=2)).coming is Coming.REPLACES
    with db.read() as session:
        ((instance, file),) = files_of(shelf, session.scalars(select(Study)).one())
    assert instance.digest == read_header(file).digest
    assert pydicom.dcmread(file).PixelData[0] == 2


def test_the_same_uids_in_another_study_are_both_kept(put, db, make_object):
    put(make_object())
    assert put(make_object(StudyInstanceUID="2.25.9")).coming is Coming.NEW
    assert (count(db, Study), count(db, Series), count(db, Instance)) == (2, 2, 2)


def test_a_study_follows_a_corrected_identity_once_all_its_objects_agree(put, db, make_object):
    for n in (1, 2):
        put(make_object(n))
    before = the(db, Study).patient_id
    put(make_object(1, patient="P2"))
    assert the(db, Study).patient_id == before
    put(make_object(2, patient="P2"))
    assert the(db, Study).patient_id == the(db, Patient, patient_id="P2").id


def test_patients_without_an_id_are_never_thrown_together(put, db, make_object):
    put(make_object(study="1", patient="", PatientName="A"))
    put(make_object(study="2", patient="", PatientName="B"))
    put(make_object(study="3", patient="", PatientName="", PatientBirthDate=""))
    put(make_object(study="4", patient="", PatientName="", PatientBirthDate=""))
    put(make_object(study="5", patient="", PatientName="A"))
    assert count(db, Patient) == 4


def test_the_same_id_of_two_issuers_is_two_patients(put, db, make_object):
    put(make_object(study="1", IssuerOfPatientID="A"))
    put(make_object(study="2", IssuerOfPatientID="B"))
    assert count(db, Patient) == 2


def test_an_earlier_study_that_we_fetched_is_not_worked_on_until_it_is_sent(put, db, make_object):
    put(make_object(), origin=Origin.PRIOR)
    assert (the(db, Study).state, the(db, Study).prior) == (StudyState.STORED, True)
    put(make_object(2), origin=Origin.RECEIVED)
    assert (the(db, Study).state, the(db, Study).prior) == (StudyState.RECEIVING, False)


def test_our_own_result_coming_back_changes_nothing(put, db, make_object):
    put(make_object(1))
    put(make_object(1, series="9"), origin=Origin.RESULT)
    set_state(db, StudyState.DONE)
    assert put(make_object(1, series="9", SeriesDescription="coerced")).coming is Coming.DUPLICATE
    assert the(db, Study).state is StudyState.DONE


def test_a_purged_object_that_comes_again_is_restored(put, db, shelf, make_object):
    put(make_object())
    with db.begin() as session:
        session.scalars(select(Instance)).one().state = InstanceState.PURGED
    set_state(db, StudyState.DONE)
    assert put(make_object()).coming is Coming.RESTORED
    assert (the(db, Study).state, the(db, Instance).state) == (StudyState.DONE, InstanceState.STORED)


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"2.25.77777.1", bytes(12)), (b"2.25.77777.1", b"../../etc/pw"), (b"2.25.77777.1.1", b"2.25.77777..x1")],
    ids=["none", "a path", "no number"],
)
def test_an_object_without_good_uids_is_refused_and_stays_where_it_was(db, shelf, make_object, old, new):
    file = shelf.incoming / "x.dcm"
    make_object(study="77777").save_as(file, enforce_file_format=True)
    raw = file.read_bytes()
    assert old in raw
    file.write_bytes(raw.replace(old, new))
    with pytest.raises(FileFormatError):
        admit(db, shelf, file)
    assert file.exists()
    assert count(db, Study) == 0


def test_what_is_no_dicom_is_refused(db, shelf):
    (shelf.incoming / "x").write_bytes(b"nothing" * 100)
    with pytest.raises(FileFormatError):
        admit(db, shelf, shelf.incoming / "x")


def test_texts_that_no_database_would_take_are_cut(put, db, make_object):
    put(make_object(PatientName="A\x07" + "B" * 60, SeriesDescription="x" * 64, StudyDescription="ä\x00b"))
    assert the(db, Patient).name == "A" + "B" * 60
    assert "\x00" not in the(db, Study).description


def test_a_disk_that_fails_leaves_no_row(put, db, shelf, make_object, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tumorboard.serve.shelf.files.Shelf.place", full)
    with pytest.raises(OSError, match="No space"):
        put(make_object())
    assert (count(db, Study), count(db, Patient)) == (0, 0)


def test_what_nobody_acknowledged_is_swept(shelf):
    (shelf.incoming / "a").write_bytes(b"1")
    assert shelf.sweep() == 0
    assert shelf.sweep(older_s=-1) == 1


def test_removing_a_study_removes_its_folder_alone(put, shelf, make_object):
    first, second = put(make_object(study="1")), put(make_object(study="2"))
    shelf.remove_study(first.study_key)
    assert not (shelf.root / first.study_key).exists()
    assert (shelf.root / second.study_key).exists()
    shutil.rmtree(shelf.root)
