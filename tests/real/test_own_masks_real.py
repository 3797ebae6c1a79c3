"""Expert masks in the schemes of their years, measured as they are."""

import numpy as np
import pytest

from tumorboard.chain import run
from tumorboard.errors import LabelError
from tumorboard.intake import IntakeRequest
from tumorboard.io.images import read_volume
from tumorboard.measurement import StudyMeasurements

CASES = {
    "brats2017": ("brats18-2013_21_1", "Brats18_2013_21_1_seg.nii.gz", {"NETC": 1, "SNFH": 2, "ET": 4}),
    "brats2023": ("BraTS-GLI-00001-000", "autoseg-brats23-rank1.nii.gz", {"NETC": 1, "SNFH": 2, "ET": 3}),
    "whole-tumour": ("brats18-flair-t1/case_1", "GT_W.nii.gz", {"WT": 1}),
}


@pytest.mark.parametrize("scheme", ["brats2017", *(pytest.param(s, marks=pytest.mark.slow) for s in list(CASES)[1:])])
def test_volumes_are_those_of_the_masks(tumour, tmp_path, scheme):
    folder, file, values = CASES[scheme]
    masks = tumour / folder / file
    request = IntakeRequest(inputs=(tumour / folder,), labels=masks, scheme=scheme)
    case = run(request, tmp_path / "out").folders[0]
    listed = StudyMeasurements.model_validate_json((case.session("ses-01") / "measurements.json").read_text())
    counted = np.rint(read_volume(masks).data)
    for region, value in values.items():
        assert listed.get("volume", region).value == pytest.approx((counted == value).sum() / 1000, rel=1e-6)
    if scheme == "whole-tumour":
        assert listed.get("volume", "ET").status == "not_assessable"


def test_a_wrong_scheme_is_refused_and_the_right_one_proposed(tumour, tmp_path):
    folder = tumour / "brats18-2013_21_1"
    request = IntakeRequest(inputs=(folder,), labels=folder / "Brats18_2013_21_1_seg.nii.gz", scheme="brats2023")
    with pytest.raises(LabelError, match="brats2017"):
        run(request, tmp_path / "out")
