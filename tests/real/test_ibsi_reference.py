"""Every reference value of the standard: phantoms, configurations, aggregations; a benchmark prints them."""

import pytest

from tumorboard.io.images import read_volume
from tumorboard.radiomics.extract import extract
from tumorboard.radiomics.reference import CHEST, DIGITAL, judged

CASES = {
    "digital": (DIGITAL, "ibsi_1_digital_phantom", "ibsi_1_dig_phantom.csv", 482),
    **{n: (s, "ibsi_1_ct_radiomics_phantom", f"ibsi_1_chest_config_{n}.csv", 210) for n, s in CHEST.items()},
}


@pytest.mark.parametrize("name", sorted(CASES))
def test_no_reference_value_is_missed(real, name):
    settings, phantom, values, least = CASES[name]
    nifti = real / "ibsi" / phantom / "nifti"
    image, mask = read_volume(nifti / "image" / "phantom.nii.gz"), read_volume(nifti / "mask" / "mask.nii.gz")
    rows = judged(extract(image, mask, settings).values, real / "ibsi" / "ibsi1-reference-values" / values)
    assert len(rows) >= least
    assert not [row for row in rows if not row.holds]
