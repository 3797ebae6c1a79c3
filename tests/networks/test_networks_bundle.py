"""Bundles: written and read back, refused when anything does not fit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from tumorboard.errors import InputError
from tumorboard.networks.architectures import Architecture, load_weights
from tumorboard.networks.bundle import (
    LARGEST_BYTES,
    META,
    WEIGHTS,
    Bundle,
    Pass,
    read_bundle,
    seeded,
    shipped,
    write_bundle,
)
from tumorboard.networks.card import card_text
from tumorboard.networks.grid import from_network, scaled_shape, to_network
from tumorboard.networks.runtime.choose import BACKENDS, REFERENCE, candidates, chosen_backend
from tumorboard.networks.sliding import slide, starts

SMALL = Architecture(name="dynunet-blocks", channels=4, classes=5, filters=(8, 8, 8))
SHIPPED = sorted(p.parent.name for p in (Path(shipped.__code__.co_filename).parents[1] / "bundles").glob(f"*/{META}"))


@pytest.fixture
def folder(tmp_path: Path, tiny_metadata) -> Path:
    weights = {f"coarse.{k}": v for k, v in seeded(SMALL).items()}
    told = tiny_metadata(passes=(Pass(name="coarse", spacing_mm=4.0, window=(16, 16, 16), architecture=SMALL),))
    write_bundle(tmp_path / "tiny", told, weights, card_text(told))
    return tmp_path / "tiny"


def test_written_and_read_back(folder: Path) -> None:
    bundle = read_bundle(folder)
    wanted = seeded(SMALL)
    assert set(bundle.weights_of("coarse")) == set(wanted)
    for name, value in bundle.weights_of("coarse").items():
        assert torch.allclose(value, wanted[name], atol=2e-3)
    assert "not" in (folder / "card.md").read_text() or "Research" in (folder / "card.md").read_text()


def test_another_checksum_is_refused(folder: Path) -> None:
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (folder / WEIGHTS).write_bytes(bytes(content))
    with pytest.raises(InputError, match="checksum"):
        read_bundle(folder)


@pytest.mark.parametrize("name", [META, WEIGHTS])
def test_a_missing_file_is_refused(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(InputError, match="bundle"):
        read_bundle(folder)


def test_metadata_that_say_something_else_are_refused(folder: Path) -> None:
    told = json.loads((folder / META).read_text())
    (folder / META).write_text(json.dumps(told | {"sequences": ["T7"]}))
    with pytest.raises(InputError, match="sequences"):
        read_bundle(folder)


def test_weights_of_another_architecture_are_refused(folder: Path) -> None:
    bundle = read_bundle(folder)
    other = SMALL.model_copy(update={"filters": (8, 8, 16)})
    passes = (bundle.metadata.passes[0].model_copy(update={"architecture": other}),)
    with pytest.raises(InputError, match="another"):
        Bundle(bundle.metadata.model_copy(update={"passes": passes}), bundle.weights).network("coarse")


def test_an_architecture_that_is_not_enrolled_is_refused() -> None:
    with pytest.raises(InputError, match="dynunet"):
        Architecture(name="mystery", channels=1, classes=2, filters=(8, 8, 8)).build()


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_bundle_is_whole_small_and_says_what_it_is(name: str) -> None:
    bundle = read_bundle(shipped(name))
    assert sum(p.stat().st_size for p in shipped(name).iterdir()) <= LARGEST_BYTES
    assert bundle.metadata.id == name
    assert bundle.metadata.licence == "Apache-2.0"
    assert (shipped(name) / "card.md").read_text() == card_text(bundle.metadata)
    for step in bundle.metadata.passes:
        bundle.network(step.name)


@pytest.mark.parametrize("backend", [b for b in BACKENDS if b in candidates()])
def test_every_way_to_run_agrees_with_the_reference(backend: str) -> None:
    how = Architecture(name="dynunet-blocks", channels=2, classes=3, filters=(16, 16, 16))
    network = how.build()
    load_weights(network, seeded(how, 3))
    images = np.random.default_rng(0).standard_normal((2, 16, 16, 16), dtype=np.float32)
    wanted = chosen_backend(network, images.shape, REFERENCE)[0](images)
    found = chosen_backend(network, images.shape, backend)[0](images)
    assert np.abs(found - wanted).max() < (0.1 if backend.endswith("bfloat16") or backend == "cuda" else 1e-3)
    again = chosen_backend(network, images.shape, backend)[0](images)
    assert (again == found).all()


def test_the_choice_is_measured() -> None:
    how = Architecture(name="dynunet-blocks", channels=1, classes=2, filters=(8, 8, 8))
    run, choice = chosen_backend(how.build(), (1, 16, 16, 16))
    assert choice.name in choice.seconds
    assert choice.seconds[choice.name] == min(choice.seconds.values())
    assert REFERENCE in choice.seconds
    assert max(choice.difference[n] for n in choice.seconds) <= 0.02
    assert run(np.zeros((1, 16, 16, 16), np.float32)).shape == (2, 16, 16, 16)


@pytest.mark.parametrize("length", [1, 7, 16, 17, 31, 160])
def test_windows_cover_an_axis(length: int) -> None:
    begins = starts(length, 16)
    seen = {i for b in begins for i in range(b, b + 16)}
    assert set(range(length)) <= seen
    assert max(begins) + 16 <= max(length, 16)


def test_windows_that_are_not_wanted_are_background() -> None:
    wanted = np.zeros((40, 8, 8), bool)
    wanted[2, 2, 2] = True
    calls = []

    def run(x: np.ndarray) -> np.ndarray:
        calls.append(1)
        return np.ones((2, *x.shape[1:]), np.float32)

    out = slide(run, np.zeros((1, 40, 8, 8), np.float32), (8, 8, 8), 2, wanted)
    assert len(calls) == 1
    assert out[0, -1, 0, 0] > 10
    assert out[1, 0, 0, 0] == 1


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.9, 1.3, 5.5), (4.0, 4.0, 4.0), (2.0, 0.5, 2.0)])
def test_grids_there_and_back(spacing: tuple[float, float, float]) -> None:
    shape = (17, 12, 9)
    at = np.indices(shape) * np.array(spacing)[:, None, None, None]
    smooth = np.sin(at.sum(axis=0) / 25).astype(np.float32)
    there = to_network(smooth, spacing, 2.0)
    assert there.shape == scaled_shape(shape, spacing, 2.0)
    back = from_network(there[None], shape, spacing, 2.0)[0]
    assert back.shape == shape
    inner = (slice(3, -3), slice(3, -3), slice(2, -2))
    assert np.abs(back - smooth)[inner].max() < 0.05


def test_averaging_keeps_sums() -> None:
    image = np.random.default_rng(0).random((12, 8, 10)).astype(np.float32)
    assert to_network(image, (1.0, 1.0, 1.0), 2.0).sum() * 8 == pytest.approx(image.sum(), rel=1e-5)


def test_what_no_window_covered_stays_as_it_was() -> None:
    wanted = np.zeros((1, 1, 20), bool)
    wanted[..., 18:] = True
    images, rest = np.ones((1, 1, 1, 20), np.float32), np.full((2, 1, 1, 20), 7.0, np.float32)
    found = slide(lambda x: np.concatenate([x, x]), images, (1, 1, 8), 2, wanted, rest)
    assert (found[..., :12] == 7.0).all()
    assert np.allclose(found[..., 12:], 1.0)
    nothing = slide(lambda x: np.concatenate([x, x]), images, (1, 1, 8), 2, wanted)
    assert (nothing[0, ..., :12] > nothing[1, ..., :12]).all()
