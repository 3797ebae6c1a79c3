"""MONAI bundles: read as data, run without their configuration being executed, sequences and regions by name."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
import torch

from tumorboard.errors import FileFormatError, InputError, MissingDependency, SequenceError
from tumorboard.networks.foreign import monai_bundle
from tumorboard.networks.foreign.inputs import Seen
from tumorboard.networks.foreign.monai_bundle import build_network, read_monai_bundle
from tumorboard.segment.foreign import MonaiBundleSegmenter
from tumorboard.sequences import Sequence

T1, T1C, T2, FLAIR = Sequence.T1, Sequence.T1C, Sequence.T2, Sequence.FLAIR

CHANNELS = ("T1c", "T1", "T2", "FLAIR")
OUTPUTS = ("Tumor core", "Whole tumor", "Enhancing tumor")
NETWORK = {
    "_target_": "SegResNet",
    "blocks_down": [1, 1],
    "blocks_up": [1],
    "init_filters": 8,
    "in_channels": 4,
    "out_channels": 3,
    "dropout_prob": 0.2,
}
LOAD = {"_target_": "LoadImaged", "keys": "image"}
SPACING = {"_target_": "Spacingd", "keys": "image", "pixdim": [8.0, 8.0, 8.0], "mode": "bilinear"}
NORMALISE = {"_target_": "NormalizeIntensityd", "keys": "image", "nonzero": True, "channel_wise": True}
SLIDE = {"_target_": "SlidingWindowInferer", "roi_size": [24, 24, 16], "sw_batch_size": 1, "overlap": 0.5}


SWIN = {"_target_": "SwinUNETR", "feature_size": 12, "depths": [1, 1, 1, 1], "num_heads": [1, 1, 1, 1]}


def metadata(channels=CHANNELS, outputs=OUTPUTS):
    def part(names):
        return {"type": "image", "num_channels": len(names), "channel_def": {str(n): c for n, c in enumerate(names)}}

    formats = {"inputs": {"image": part(channels)}, "outputs": {"pred": part(outputs)}}
    return {"version": "0.5.3", "task": "Multimodal Brain Tumor segmentation", "network_data_format": formats}


def inference(**more):
    return {
        "imports": ["$import glob"],
        "device": "$torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')",
        "network_def": NETWORK,
        "network": "$@network_def.to(@device)",
        "preprocessing": {"_target_": "Compose", "transforms": [LOAD, SPACING, NORMALISE]},
        "inferer": SLIDE,
        "postprocessing": {
            "_target_": "Compose",
            "transforms": [{"_target_": "Activationsd", "keys": "pred", "sigmoid": True}],
        },
    } | more


def steps(*transforms):
    return {"preprocessing": {"_target_": "Compose", "transforms": list(transforms)}}


def weights(network=NETWORK, seed=0):
    torch.manual_seed(seed)
    return build_network(network).state_dict()


def write(folder, told=None, config=None, held=None):
    for name in ("configs", "models"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "configs" / "metadata.json").write_text(json.dumps(told or metadata()))
    (folder / "configs" / "inference.json").write_text(json.dumps(config or inference()))
    torch.save(weights() if held is None else held, folder / "models" / "model.pt")
    return folder


@pytest.fixture(scope="module")
def study(coarse_prepared):
    return coarse_prepared.study


def test_the_brats_bundle_segments_a_study(tmp_path, study):
    segmenter = MonaiBundleSegmenter(write(tmp_path))
    given = segmenter.segment(study)
    assert segmenter.card.needs_any == (T1C, T1, T2, FLAIR)
    assert "0.5.3" in segmenter.card.title
    assert set(given.probabilities) == {"WT", "TC", "ET"}
    assert given.labels.data.shape == study.grid.shape
    assert not given.labels.data[~study.brain].any()
    assert np.array_equal(given.labels.region("ET"), given.probabilities["ET"].data > 0.5)
    assert all(v.data[~study.brain].max() == 0 for v in given.probabilities.values())
    assert set(given.not_assessable) == {"RC"}
    assert MonaiBundleSegmenter(tmp_path).segment(study).labels.data.tobytes() == given.labels.data.tobytes()


def test_channels_are_found_by_name_and_not_by_place(tmp_path, study):
    order = [3, 1, 0, 2]
    held = weights()
    first = next(k for k, v in held.items() if v.ndim == 5 and v.shape[1] == 4)
    moved = {k: v[:, order] if k == first else v for k, v in held.items()}
    here = read_monai_bundle(write(tmp_path / "a", held=held))
    there = read_monai_bundle(write(tmp_path / "b", metadata([CHANNELS[n] for n in order]), held=moved))
    assert there.layout.sequences == (FLAIR, T1, T1C, T2)
    assert np.allclose(here.probabilities(study), there.probabilities(study), atol=1e-5)


def test_a_checkpoint_of_several_parts_is_the_same(tmp_path, study):
    bare = read_monai_bundle(write(tmp_path / "a"))
    held = {"model": {f"module.{k}": v for k, v in weights().items()}, "epoch": 3}
    whole = read_monai_bundle(write(tmp_path / "b", held=held))
    assert np.array_equal(bare.probabilities(study), whole.probabilities(study))


def test_intensities_are_normalised_in_the_brain(tmp_path, study):
    same = {**SPACING, "pixdim": list(study.grid.spacing_mm)}
    model = read_monai_bundle(write(tmp_path, config=inference(**steps(LOAD, same, NORMALISE))))
    seen = Seen.of(study, model.layout).images
    inside = seen[0] != 0
    assert model.layout.axcodes == "LPS"
    assert abs(float(seen[0][inside].mean())) < 1e-3
    assert abs(float(seen[0][inside].std()) - 1) < 1e-2


def test_what_is_not_said_is_as_in_brats(tmp_path):
    turned = {"_target_": "Orientationd", "keys": "image", "axcodes": "RAS"}
    off = {"_target_": "ScaleIntensityd", "_disabled_": True}
    plain = read_monai_bundle(write(tmp_path, config=inference(**steps(LOAD, NORMALISE))))
    other = read_monai_bundle(write(tmp_path, config=inference(**steps(LOAD, off, turned, NORMALISE))))
    assert (plain.layout.spacing_mm, plain.layout.axcodes) == ((1.0, 1.0, 1.0), "LPS")
    assert other.layout.axcodes == "RAS"
    assert plain.layout.normalise == ("zscore-brain",) * 4


def test_classes_with_background_exclude_each_other(tmp_path, study):
    soft = {"transforms": [{"_target_": "Activationsd", "softmax": True}]}
    network = {**NETWORK, "out_channels": 4}
    told = metadata(outputs=("background", "necrosis", "edema", "enhancing"))
    config = inference(network_def=network, postprocessing=soft)
    model = read_monai_bundle(write(tmp_path, told, config, weights(network)))
    outputs = model.probabilities(study)
    assert model.heads.exclusive
    assert np.allclose(outputs.sum(axis=0), 1, atol=1e-5)


@pytest.mark.parametrize(
    "network",
    [
        {"_target_": "monai.networks.nets.UNet", "spatial_dims": 3, "channels": [4, 8], "strides": [2]},
        {"_target_": "BasicUNet", "features": [4, 4, 8, 8, 8, 4]},
        {"_target_": "SegResNetDS", "init_filters": 8, "blocks_down": [1, 1], "norm": "instance", "dsdepth": 2},
        {
            "_target_": "DynUNet",
            "spatial_dims": 3,
            "kernel_size": [3, 3, 3],
            "strides": [1, 2, 2],
            "upsample_kernel_size": [2, 2],
            "filters": [4, 8, 8],
            "deep_supervision": True,
        },
        pytest.param(SWIN, marks=pytest.mark.skipif(find_spec("einops") is None, reason="einops is not installed")),
    ],
)
def test_the_networks_of_the_list_run(tmp_path, study, network):
    whole = {**network, "in_channels": 4, "out_channels": 3}
    slide = {**SLIDE, "roi_size": [64, 64, 64] if network == SWIN else [32, 32, 32]}
    folder = write(tmp_path, config=inference(network_def=whole, inferer=slide), held=weights(whole))
    assert read_monai_bundle(folder).probabilities(study).shape == (3, *study.grid.shape)


@pytest.mark.skipif(find_spec("einops") is not None, reason="einops is installed")
def test_a_network_that_needs_more_than_monai_says_so():
    with pytest.raises(MissingDependency, match="einops"):
        build_network(SWIN | {"in_channels": 4, "out_channels": 3})


class Evil:
    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def test_code_in_the_weights_is_refused_and_not_run(tmp_path):
    folder = write(tmp_path / "model", held={"model": weights(), "more": Evil(tmp_path / "ran")})
    with pytest.raises(InputError, match=r"would execute \w+\.mkdir") as refused:
        read_monai_bundle(folder)
    assert refused.value.exit_code == 2
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"network_def": "$import os"}, "one of the networks"),
        ({"network_def": {**NETWORK, "_target_": "scripts.nets.SegResNet"}}, "scripts.nets.SegResNet"),
        ({"network_def": {**NETWORK, "_target_": "VNet"}}, "VNet"),
        ({"network_def": {**NETWORK, "init_filters": "$__import__('os').getpid()"}}, "literal"),
        ({"network_def": {**NETWORK, "norm": ["GROUP", {"num_groups": "@groups"}]}}, "literal"),
        ({"network_def": {**NETWORK, "act": {"_target_": "os.system"}}}, "literal"),
        ({"network_def": {**NETWORK, "_mode_": "debug"}}, "literal"),
        ({"network_def": {**NETWORK, "no_such_argument": 1}}, "arguments of SegResNet"),
        ({"network_def": {**NETWORK, "init_filters": 16}}, "other shape"),
        (steps(LOAD, {"_target_": "ScaleIntensityRanged", "a_min": 0}), "ScaleIntensityRanged"),
        (steps(LOAD, {**NORMALISE, "channel_wise": False}), "each channel"),
        (steps(LOAD, {**NORMALISE, "subtrahend": 3.0}), "each channel"),
        (steps(LOAD, {**SPACING, "pixdim": "$@pixdim"}), "Spacingd"),
        ({"preprocessing": "$@other"}, "by name"),
        ({"inferer": {"_target_": "SimpleInferer"}}, "SlidingWindowInferer"),
        ({"inferer": {**SLIDE, "roi_size": "@roi"}}, "SlidingWindowInferer"),
        ({"inferer": {**SLIDE, "padding_mode": "reflect"}}, "SlidingWindowInferer"),
        ({"postprocessing": {"transforms": [{"_target_": "Activationsd", "softmax": True}]}}, "sigmoid"),
    ],
)
def test_what_cannot_be_reproduced_is_refused(tmp_path, config, told):
    with pytest.raises(InputError, match=told) as refused:
        read_monai_bundle(write(tmp_path, config=inference(**config)))
    assert refused.value.exit_code == 2
    assert str(tmp_path) not in str(refused.value)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (metadata(channels=("T1c", "T1", "T2", "PD")), "'PD'"),
        (metadata(outputs=("Tumor core", "Whole tumor", "vessel")), "'vessel'"),
        ({"version": "1"}, "network_data_format"),
    ],
)
def test_names_that_are_not_known_are_refused(tmp_path, told, words):
    with pytest.raises(InputError, match=words):
        read_monai_bundle(write(tmp_path, told))


@pytest.mark.parametrize("name", ["configs/metadata.json", "configs/inference.json", "models/model.pt"])
def test_a_missing_or_broken_file_is_told(tmp_path, name):
    folder = write(tmp_path)
    (folder / name).write_bytes(b"not this")
    with pytest.raises(FileFormatError):
        read_monai_bundle(folder)
    (folder / name).unlink()
    with pytest.raises(InputError, match="no "):
        read_monai_bundle(folder)


def test_yaml_needs_its_reader(tmp_path, monkeypatch):
    folder = write(tmp_path)
    (folder / "configs" / "inference.json").rename(folder / "configs" / "inference.yaml")

    def without(name):
        raise ImportError(name)

    monkeypatch.setattr(monai_bundle, "import_module", without)
    with pytest.raises(MissingDependency, match="pyyaml"):
        read_monai_bundle(folder)


def test_a_missing_sequence_is_told_by_name(tmp_path, study):
    without = replace(study, volumes={s: v for s, v in study.volumes.items() if s != FLAIR})
    with pytest.raises(SequenceError, match="no FLAIR"):
        MonaiBundleSegmenter(write(tmp_path)).segment(without)
