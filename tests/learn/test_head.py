"""Heads for brain masks: what a sample holds, and a network that finds a brain on the volume's own grid."""

from __future__ import annotations

import numpy as np
import pytest

from tumorboard.errors import InputError
from tumorboard.learn.draw.head import HeadDrawing, draw_head
from tumorboard.learn.draw.noise import NoiseFields
from tumorboard.learn.pool.specimen import Specimen
from tumorboard.networks.architectures import Architecture
from tumorboard.networks.bundle import Bundle, Pass, seeded
from tumorboard.networks.heads import HIGHEST, scaled_head
from tumorboard.prepare.brainers.learned import BrainNetwork
from tumorboard.sequences import Sequence
from tumorboard.simulate.subject import Kind, draw_member, studies
from tumorboard.volume import Volume


@pytest.fixture(scope="module")
def study():
    return next(iter(studies(5, draw_member(5, 1, Kind.GLIOMA, 1, 1), 5.0, volumes=False)))


@pytest.fixture(scope="module")
def specimen(study) -> Specimen:
    return Specimen.of(study, heads=True)


def test_shell_is_kept_and_read_back(specimen: Specimen, tmp_path) -> None:
    specimen.write(tmp_path / "one")
    again = Specimen.read(tmp_path / "one")
    assert again.before == specimen.before
    assert (again.shell == specimen.shell).all()


@pytest.mark.parametrize("seed", range(10))
def test_a_sample_of_a_head(specimen: Specimen, seed: int) -> None:
    sample = draw_head(specimen, HeadDrawing((32, 32, 32)), NoiseFields.drawn(), np.random.default_rng(seed))
    assert sample.images.shape == (32, 32, 32, 1)
    assert np.abs(sample.images).max() <= HIGHEST
    assert set(np.unique(sample.labels)) <= {0, 1}
    assert 0.02 < sample.labels.mean() < 0.9


def test_a_specimen_without_its_shell_is_no_head(study) -> None:
    with pytest.raises(ValueError, match="shell"):
        draw_head(Specimen.of(study), HeadDrawing((16, 16, 16)), NoiseFields.drawn(), np.random.default_rng(0))


@pytest.mark.parametrize("image", [np.zeros((4, 4, 4)), np.full((4, 4, 4), 7.0)])
def test_images_without_contrast_are_scaled_to_nothing(image) -> None:
    assert not scaled_head(image.astype(np.float32)).any()


def brain_bundle(tiny_metadata, bias: float) -> Bundle:
    how = Architecture(name="dynunet-blocks", channels=1, classes=2, filters=(8, 8, 8))
    told = tiny_metadata(
        task="brain",
        sequences=(Sequence.T1,),
        needs_any=(Sequence.T1,),
        labels={"brain": 1},
        passes=(Pass(name="coarse", spacing_mm=5.0, window=(32, 32, 32), architecture=how),),
    )
    weights = {f"coarse.{k}": v.clone() for k, v in seeded(how).items()}
    weights["coarse.rough.bias"][1] = bias
    return Bundle(told, weights)


@pytest.mark.parametrize("axcodes", ["RAS", "LPS", "ASL"])
def test_the_mask_lies_on_the_volumes_own_grid(tiny_metadata, axcodes: str) -> None:
    rng = np.random.default_rng(0)
    volume = Volume.of(rng.random((30, 34, 28)).astype(np.float32), np.diag([6.0, 5.0, 7.0, 1.0])).reoriented(axcodes)
    network = BrainNetwork(brain_bundle(tiny_metadata, 50.0), "torch-float32")
    mask = network.outline(volume)
    assert mask.shape == volume.grid.shape
    assert mask.all()  # the bias says brain everywhere


def test_no_brain_is_refused(tiny_metadata) -> None:
    network = BrainNetwork(brain_bundle(tiny_metadata, -50.0), "torch-float32")
    with pytest.raises(InputError, match="brain"):
        network.outline(Volume.of(np.random.default_rng(0).random((20, 20, 20)), np.diag([6.0, 6.0, 6.0, 1.0])), "T1")
