"""The ICBM152 maps: symmetric, complete, averaged and not decimated."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy import ndimage as ndi

from tumorboard.atlas.icbm152 import icbm152
from tumorboard.errors import GeometryError


@pytest.fixture(scope="module")
def atlas():
    return icbm152(3.0)


@pytest.mark.parametrize("spacing_mm", [3.0, 4.0, 5.5])
def test_midline_is_x_zero(spacing_mm):
    maps = icbm152(spacing_mm)
    grid = maps.grid
    centres = grid.affine[0, 3] + np.arange(grid.shape[0]) * spacing_mm
    np.testing.assert_allclose(centres, -centres[::-1], atol=1e-9)
    for volume in (maps.brain, maps.ventricles):
        left_right = np.flatnonzero(volume.data.any(axis=(1, 2)))
        assert abs(left_right[0] - (grid.shape[0] - 1 - left_right[-1])) <= 1
        overlap = 2 * (volume.data & volume.data[::-1]).sum() / (2 * volume.data.sum())
        assert overlap > 0.98


def test_maps_share_one_ras_grid_that_holds_the_brain(atlas):
    volumes = (atlas.t1, atlas.gm, atlas.wm, atlas.csf, atlas.brain, atlas.ventricles)
    assert all(v.grid.matches(atlas.grid) for v in volumes)
    assert atlas.grid.axcodes == "RAS"
    border = atlas.brain.data.copy()
    border[1:-1, 1:-1, 1:-1] = False
    assert not border.any()
    assert ndi.label(atlas.brain.data, np.ones((3, 3, 3)))[1] == 1


def test_fractions_are_fractions(atlas):
    brain = atlas.brain.data
    for volume in (atlas.t1, atlas.gm, atlas.wm, atlas.csf):
        assert volume.data.dtype == np.float32
        assert volume.data.min() >= 0
        assert volume.data.max() <= 1
        assert not volume.data[~brain].any()
    np.testing.assert_allclose((atlas.gm.data + atlas.wm.data + atlas.csf.data)[brain], 1.0, atol=1e-5)


def test_volumes_are_those_of_an_adult_brain_at_any_spacing():
    volumes = {}
    for spacing in (2.0, 4.0):
        maps = icbm152(spacing)
        ml = maps.grid.voxel_volume_ml
        volumes[spacing] = [float(v.data.sum()) * ml for v in (maps.brain, maps.gm, maps.wm)]
    assert 1500 < volumes[2.0][0] < 2000
    np.testing.assert_allclose(volumes[4.0], volumes[2.0], rtol=0.04)


def test_ventricles_are_central_fluid(atlas):
    ml = atlas.ventricles.data.sum() * atlas.grid.voxel_volume_ml
    assert 8 < ml < 40
    assert atlas.csf.data[atlas.ventricles.data].min() > 0.5
    frontal_horn, white = atlas.grid.to_voxel([[-6, 14, 14], [-26, -20, 30]]).round().astype(int)
    assert atlas.ventricles.data[tuple(frontal_horn)]
    assert not atlas.ventricles.data[tuple(white)]


def test_known_places_hold_their_tissue(atlas):
    white, cortex_free = atlas.grid.to_voxel([[26, -20, 30], [0, 90, 100]]).round().astype(int)
    assert atlas.wm.data[tuple(white)] > 0.8
    assert not atlas.brain.data[tuple(cortex_free)]


def test_averaging_keeps_the_mean_of_the_file():
    fine, coarse = icbm152(2.0), icbm152(4.0)
    inner = ndi.binary_erosion(coarse.brain.data, iterations=2)
    blocks = fine.t1.data.reshape(48, 2, 56, 2, 48, 2).mean(axis=(1, 3, 5))
    np.testing.assert_allclose(coarse.t1.data[inner], blocks[inner], atol=2e-3)


def test_result_is_cached_and_cannot_be_written(atlas):
    assert icbm152(3.0) is atlas
    with pytest.raises(ValueError, match="read-only"):
        atlas.t1.data[0, 0, 0] = 1.0


@pytest.mark.parametrize("spacing_mm", [0.0, 0.5, 9.0, float("nan")])
def test_spacings_without_sense_are_refused(spacing_mm):
    with pytest.raises(GeometryError, match="1 to 8 mm"):
        icbm152(spacing_mm)


def test_nilearn_is_not_imported():
    code = "import sys; from tumorboard.atlas.icbm152 import icbm152; icbm152(8.0); sys.exit('nilearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-W", "error", "-c", code], check=False).returncode == 0
