"""Methods by name, by folder and several together; what is no method is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tumorboard.errors import InputError
from tumorboard.networks.architectures import Architecture
from tumorboard.networks.bundle import Pass, seeded, write_bundle
from tumorboard.segment.named import segmenter_of
from tumorboard.sequences import Sequence
from tumorboard.settings import RunSettings

SMALL = Architecture(name="dynunet-blocks", channels=1, classes=5, filters=(8, 8, 8))


@pytest.fixture
def bundle(tmp_path: Path, tiny_metadata) -> Path:
    passes = (Pass(name="coarse", spacing_mm=8.0, window=(16, 16, 16), architecture=SMALL),)
    told = tiny_metadata(id="ours", version="3", sequences=(Sequence.FLAIR,), passes=passes)
    write_bundle(tmp_path / "ours", told, {f"coarse.{k}": v for k, v in seeded(SMALL).items()}, "card")
    return tmp_path / "ours"


def test_a_folder_with_a_bundle_is_a_method(bundle: Path) -> None:
    card = segmenter_of(str(bundle)).card
    assert card.id == "ours"
    assert card.version.startswith("3+")


@pytest.mark.parametrize("how", ["", "majority:", "staple:"])
def test_several_are_fused(bundle: Path, how: str, coarse_prepared) -> None:
    method = segmenter_of(f"{how}fuzzy+{bundle}")
    assert "fuzzy" in method.card.version
    assert "ours" in method.card.version
    found = method.segment(coarse_prepared.study)
    assert found.labels.data.shape == coarse_prepared.study.grid.shape


def test_a_folder_with_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nnU-Net"):
        segmenter_of(str(tmp_path))


@pytest.mark.parametrize("text", ["magic", "fuzzy+magic", "", "staple:"])
def test_what_is_no_method_is_refused_with_those_that_are(text: str) -> None:
    with pytest.raises(InputError, match="glioma, fuzzy"):
        segmenter_of(text)


def test_places_of_models_do_not_leave(bundle: Path) -> None:
    told = RunSettings(segmenter=f"staple:glioma+{bundle}").model_dump(mode="json")
    assert told["segmenter"] == "staple:glioma+ours"
    assert RunSettings(segmenter="glioma").model_dump()["segmenter"] == "glioma"
