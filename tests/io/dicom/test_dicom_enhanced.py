"""Enhanced multi-frame objects: frames parted into stacks, and their facts found wherever they stand."""

from pydicom import Dataset

from tumorboard.io.dicom.read import read_series
from tumorboard.io.dicom.scan import scan_dicom


def enhanced(made, folder, change):
    dataset = made.enhanced_dataset(made.Stack(shape=(4, 4, 6)))
    for k, frame in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        change(k, frame)
    return scan_dicom([made.write(dataset, folder / "all.dcm")]).series


def test_echoes_of_one_enhanced_object_are_parted(made, tmp_path):
    def change(k, frame):
        frame.MREchoSequence = [Dataset()]
        frame.MREchoSequence[0].EffectiveEchoTime = 10.0 if k < 3 else 90.0

    parts = enhanced(made, tmp_path, change)
    assert [(s.part, s.tags.te_ms, len(s.planes), s.tags.echoes) for s in parts] == [(1, 10.0, 3, 2), (2, 90.0, 3, 2)]
    assert [read_series(s)[0].data[0, 0].tolist() for s in parts] == [[1, 101, 201], [301, 401, 501]]


def test_orientations_of_one_enhanced_object_are_parted(made, tmp_path):
    def change(k, frame):
        if k >= 3:
            frame.PlaneOrientationSequence = [Dataset()]
            frame.PlaneOrientationSequence[0].ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
            frame.PlanePositionSequence[0].ImagePositionPatient = [3 * k, 0, 0]

    parts = enhanced(made, tmp_path, change)
    assert [(len(s.planes), s.refusal) for s in parts] == [(3, ""), (3, "")]
    assert [read_series(s)[0].grid.axcodes for s in parts] == ["LPS", "PIR"]


def test_b_values_of_one_enhanced_object_are_parted(made, tmp_path):
    def change(k, frame):
        frame.MRDiffusionSequence = [Dataset()]
        frame.MRDiffusionSequence[0].DiffusionBValue = 0.0 if k % 2 else 1000.0

    parts = enhanced(made, tmp_path, change)
    assert sorted(s.tags.b_values for s in parts) == [(0.0,), (1000.0,)]


def test_a_frame_without_its_place_refuses_the_object(made, tmp_path):
    def change(k, frame):
        if k == 5:
            del frame.PlanePositionSequence

    (series,) = enhanced(made, tmp_path, change)
    assert series.refusal == "1 of 1 files that are damaged or end early"


def test_legacy_converted_objects_keep_their_classic_values(made, tmp_path):
    dataset = made.enhanced_dataset(made.Stack())
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4.4"
    shared = dataset.SharedFunctionalGroupsSequence[0]
    del shared.MREchoSequence, shared.MRTimingAndRelatedParametersSequence
    kept = Dataset()
    kept.EchoTime, kept.RepetitionTime, kept.ScanningSequence = "15", "500", "SE"
    shared.UnassignedSharedConvertedAttributesSequence = [kept]
    (series,) = scan_dicom([made.write(dataset, tmp_path / "all.dcm")]).series
    assert (series.tags.te_ms, series.tags.tr_ms, series.tags.scanning_sequence) == (15.0, 500.0, ("SE",))


def test_agents_in_enhanced_objects_are_read(made, tmp_path):
    dataset = made.enhanced_dataset(made.Stack())
    agent = Dataset()
    agent.CodeMeaning = "Gadobutrol"
    dataset.ContrastBolusAgentSequence = [agent]
    (series,) = scan_dicom([made.write(dataset, tmp_path / "all.dcm")]).series
    assert series.tags.contrast_agent == "Gadobutrol"
