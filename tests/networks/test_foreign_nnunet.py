"""Model folders of nnU-Net v2: same names and shapes as its library, sequences by name, nothing executed."""

from __future__ import annotations

import json
import os
import zipfile
from collections import OrderedDict
from dataclasses import replace

import numpy as np
import pytest
import torch

from tumorboard.errors import FileFormatError, InputError, LabelError, SequenceError
from tumorboard.networks.foreign.heads import Heads
from tumorboard.networks.foreign.inputs import Layout, Resampling, Seen
from tumorboard.networks.foreign.names import region_of, sequences_of
from tumorboard.networks.foreign.nnunet import read_nnunet
from tumorboard.networks.foreign.plans import Dataset
from tumorboard.networks.foreign.unet import UnetPlan
from tumorboard.networks.foreign.window import importance, mirrored, slide, starts
from tumorboard.segment.foreign import NnUnetSegmenter
from tumorboard.sequences import Sequence

T1, T1C, T2, FLAIR = Sequence.T1, Sequence.T1C, Sequence.T2, Sequence.FLAIR

ARCH = {
    "n_stages": 2,
    "features_per_stage": [2, 4],
    "conv_op": "torch.nn.modules.conv.Conv3d",
    "kernel_sizes": [[3, 3, 3], [3, 3, 3]],
    "strides": [[1, 1, 1], [2, 2, 2]],
    "n_conv_per_stage": [1, 1],
    "n_conv_per_stage_decoder": [1],
    "conv_bias": True,
    "norm_op": "torch.nn.modules.instancenorm.InstanceNorm3d",
    "norm_op_kwargs": {"eps": 1e-05, "affine": True},
    "dropout_op": None,
    "dropout_op_kwargs": None,
    "nonlin": "torch.nn.LeakyReLU",
    "nonlin_kwargs": {"inplace": True},
}
OLD = {
    "UNet_class_name": "PlainConvUNet",
    "UNet_base_num_features": 2,
    "unet_max_num_features": 320,
    "n_conv_per_stage_encoder": [1, 1],
    "n_conv_per_stage_decoder": [1],
    "num_pool_per_axis": [1, 1, 1],
    "pool_op_kernel_sizes": [[1, 1, 1], [2, 2, 2]],
    "conv_kernel_sizes": [[3, 3, 3], [3, 3, 3]],
}
CLASS = "dynamic_network_architectures.architectures.unet.PlainConvUNet"
REGIONS = {"background": 0, "whole tumor": [1, 2, 3], "tumor core": [2, 3], "enhancing tumor": [3]}
CHANNELS = ["FLAIR", "T1w", "t1gd", "T2w"]


def configuration(**more):
    return {
        "patch_size": [16, 16, 16],
        "spacing": [8.0, 8.0, 8.0],
        "normalization_schemes": ["ZScoreNormalization"] * 4,
        "use_mask_for_norm": [True] * 4,
        "resampling_fn_data": "resample_data_or_seg_to_shape",
        "resampling_fn_data_kwargs": {"is_seg": False, "order": 3, "order_z": 0, "force_separate_z": None},
        "resampling_fn_probabilities": "resample_data_or_seg_to_shape",
        "resampling_fn_probabilities_kwargs": {"is_seg": False, "order": 1, "order_z": 0, "force_separate_z": None},
        "architecture": {"network_class_name": CLASS, "arch_kwargs": ARCH},
    } | more


def weights(channels=4, classes=3, seed=0):
    torch.manual_seed(seed)
    made = UnetPlan(kind="plain", **ARCH).build(channels, classes)
    with torch.no_grad():
        made.decoder.seg_layers[0].weight.mul_(5.0)
    return made.state_dict()


def dataset(channels=CHANNELS, labels=REGIONS, order=(1, 2, 3)):
    told = {"channel_names": {str(n): c for n, c in enumerate(channels)}, "labels": labels, "file_ending": ".nii.gz"}
    return told | ({"regions_class_order": list(order)} if order else {})


def checkpoint(held, **more):
    log = {"mean_fg_dice": [np.float64(0.5), np.float32(0.25)], "epoch_start_timestamps": [1.0]}
    return {
        "network_weights": held,
        "optimizer_state": {"state": {}, "param_groups": [{"lr": 0.01}]},
        "grad_scaler_state": None,
        "logging": log,
        "_best_ema": np.float64(0.4),
        "current_epoch": 1000,
        "init_args": {"configuration": "3d_fullres", "fold": 0, "device": torch.device("cpu")},
        "trainer_name": "nnUNetTrainer",
        "inference_allowed_mirroring_axes": (0, 1, 2),
    } | more


def write(folder, told=None, held=None, conf=None, plans=None, fold="fold_0"):
    (folder / fold).mkdir(parents=True, exist_ok=True)
    whole = {
        "dataset_name": "Dataset001_Digital",
        "image_reader_writer": "SimpleITKIO",
        "transpose_forward": [0, 1, 2],
        "configurations": {"3d_fullres": conf or configuration()},
    } | (plans or {})
    (folder / "plans.json").write_text(json.dumps(whole))
    (folder / "dataset.json").write_text(json.dumps(told or dataset()))
    torch.save(held if held is not None else checkpoint(weights()), folder / fold / "checkpoint_final.pth")
    return folder


@pytest.fixture(scope="module")
def study(coarse_prepared):
    return coarse_prepared.study


# --- names and shapes of the library -------------------------------------------------------------

PLAIN = [
    "encoder.stages.0.0.convs.0.conv.weight",
    "encoder.stages.0.0.convs.0.conv.bias",
    "encoder.stages.0.0.convs.0.norm.weight",
    "encoder.stages.0.0.convs.0.norm.bias",
    "encoder.stages.0.0.convs.0.all_modules.0.weight",
    "encoder.stages.0.0.convs.0.all_modules.0.bias",
    "encoder.stages.0.0.convs.0.all_modules.1.weight",
    "encoder.stages.0.0.convs.0.all_modules.1.bias",
    "encoder.stages.1.0.convs.0.conv.weight",
    "encoder.stages.1.0.convs.0.conv.bias",
    "encoder.stages.1.0.convs.0.norm.weight",
    "encoder.stages.1.0.convs.0.norm.bias",
    "encoder.stages.1.0.convs.0.all_modules.0.weight",
    "encoder.stages.1.0.convs.0.all_modules.0.bias",
    "encoder.stages.1.0.convs.0.all_modules.1.weight",
    "encoder.stages.1.0.convs.0.all_modules.1.bias",
]
DECODER = [
    "decoder.stages.0.convs.0.conv.weight",
    "decoder.stages.0.convs.0.conv.bias",
    "decoder.stages.0.convs.0.norm.weight",
    "decoder.stages.0.convs.0.norm.bias",
    "decoder.stages.0.convs.0.all_modules.0.weight",
    "decoder.stages.0.convs.0.all_modules.0.bias",
    "decoder.stages.0.convs.0.all_modules.1.weight",
    "decoder.stages.0.convs.0.all_modules.1.bias",
    "decoder.transpconvs.0.weight",
    "decoder.transpconvs.0.bias",
    "decoder.seg_layers.0.weight",
    "decoder.seg_layers.0.bias",
]
"""As dynamic_network_architectures 0.4.4 prints them for ``ARCH``, one input channel and two classes."""

SKIP = [
    "encoder.stages.1.blocks.0.skip.1.conv.weight",
    "encoder.stages.1.blocks.0.skip.1.norm.weight",
    "encoder.stages.1.blocks.0.skip.1.norm.bias",
    "encoder.stages.1.blocks.0.skip.1.all_modules.0.weight",
    "encoder.stages.1.blocks.0.skip.1.all_modules.1.weight",
    "encoder.stages.1.blocks.0.skip.1.all_modules.1.bias",
]


def test_names_and_shapes_of_the_plain_unet_are_those_of_the_library():
    state = UnetPlan(kind="plain", **ARCH).build(1, 2).state_dict()
    assert list(state) == PLAIN + [f"decoder.{n}" for n in PLAIN] + DECODER
    assert state["encoder.stages.0.0.convs.0.conv.weight"].shape == (2, 1, 3, 3, 3)
    assert state["decoder.stages.0.convs.0.conv.weight"].shape == (2, 4, 3, 3, 3)
    assert state["decoder.transpconvs.0.weight"].shape == (4, 2, 2, 2, 2)
    assert state["decoder.seg_layers.0.weight"].shape == (2, 2, 1, 1, 1)


def test_names_of_the_residual_encoder_are_those_of_the_library():
    numbers = {k: v for k, v in ARCH.items() if k != "n_conv_per_stage"} | {"n_blocks_per_stage": [1, 1]}
    state = UnetPlan(kind="residual", **numbers).build(1, 2).state_dict()
    assert len([n for n in state if n.startswith("encoder.")]) == 8 + 2 * 16 + 6
    assert [n for n in state if n.startswith("encoder.") and "skip" in n] == SKIP
    assert "encoder.stem.convs.0.all_modules.0.weight" in state
    assert state["encoder.stages.1.blocks.0.skip.1.conv.weight"].shape == (4, 2, 1, 1, 1)
    assert set(DECODER) <= set(state)


def test_old_plans_give_the_same_network(tmp_path, study):
    new = read_nnunet(write(tmp_path / "new"))
    bare = {k: v for k, v in configuration().items() if k != "architecture"}
    old = read_nnunet(write(tmp_path / "old", conf=bare | OLD))
    assert np.array_equal(new.probabilities(study), old.probabilities(study))


# --- use -----------------------------------------------------------------------------------------


def test_a_folder_segments_a_study(tmp_path, study):
    segmenter = NnUnetSegmenter(write(tmp_path))
    given = segmenter.segment(study)
    assert segmenter.card.id == "nnunet"
    assert set(segmenter.card.needs_any) == {FLAIR, T1, T1C, T2}
    assert given.labels.data.shape == study.grid.shape
    assert given.labels.data.any()
    assert not given.labels.data[~study.brain].any()
    assert set(given.probabilities) == {"WT", "TC", "ET"}
    assert np.array_equal(given.labels.region("ET"), given.probabilities["ET"].data > 0.5)
    assert set(given.not_assessable) == {"RC"}
    again = NnUnetSegmenter(tmp_path).segment(study)
    assert again.labels.data.tobytes() == given.labels.data.tobytes()


def test_channels_are_found_by_name_and_not_by_place(tmp_path, study):
    order = [2, 0, 3, 1]
    held = weights()
    first = "encoder.stages.0.0.convs.0."
    names = [f"{d}{first}{n}.weight" for d in ("", "decoder.") for n in ("conv", "all_modules.0")]
    moved = OrderedDict((k, v[:, order] if k in names else v) for k, v in held.items())
    here = read_nnunet(write(tmp_path / "a", held=checkpoint(held)))
    there = read_nnunet(write(tmp_path / "b", dataset([CHANNELS[n] for n in order]), checkpoint(moved)))
    wrong = read_nnunet(write(tmp_path / "c", dataset([CHANNELS[n] for n in order]), checkpoint(held)))
    assert there.layout.sequences == (T1C, FLAIR, T2, T1)
    assert np.allclose(here.probabilities(study), there.probabilities(study), atol=1e-6)
    assert not np.allclose(here.probabilities(study), wrong.probabilities(study), atol=1e-2)


def test_folds_are_averaged(tmp_path, study):
    write(tmp_path)
    write(tmp_path, held=checkpoint(weights(seed=1)), fold="fold_1")
    both = read_nnunet(tmp_path)
    images = Seen.of(study, both.layout).images
    alone = [replace(both, networks=(n,)).logits(images) for n in both.networks]
    assert len(both.networks) == 2
    assert np.allclose(both.logits(images), (alone[0] + alone[1]) / 2, atol=1e-5)


def test_what_is_permuted_and_turned_for_the_network_comes_back_in_place(study):
    layout = Layout((T1C, FLAIR), ("none", "none"), study.grid.spacing_mm, "LPS", (2, 0, 1))
    seen = Seen.of(study, layout)
    assert seen.images.shape[1:] == tuple(s.stop - s.start for s in seen.box)
    back = seen.on_study(seen.back(seen.images), np.zeros((2, 1, 1, 1), np.float32))
    t1c = np.where(study.brain, study.volumes[T1C].data - study.volumes[T1C].data[study.brain].min(), 0)
    assert np.allclose(back[0], t1c, atol=1e-5)


def test_transposed_plans_turn_the_input(tmp_path, study):
    plain = read_nnunet(write(tmp_path / "a"))
    turned = read_nnunet(write(tmp_path / "b", plans={"transpose_forward": [2, 0, 1]}))
    shape = Seen.of(study, plain.layout).images.shape
    assert plain.layout.axes == (2, 1, 0)
    assert Seen.of(study, turned.layout).images.shape == (4, shape[3], shape[1], shape[2])


def test_normalisation_in_the_brain_is_that_of_nnunet(tmp_path, study):
    model = read_nnunet(write(tmp_path, conf=configuration(spacing=list(study.grid.spacing_mm))))
    seen = Seen.of(study, model.layout)
    inside = seen.images[0] != 0
    assert abs(float(seen.images[0][inside].mean())) < 1e-3
    assert abs(float(seen.images[0][inside].std()) - 1) < 1e-2


def test_classes_that_exclude_each_other(tmp_path, study):
    labels = {"background": 0, "edema": 2, "NCR": 1, "enhancing tumour": 3, "ignore": 4}
    model = read_nnunet(write(tmp_path, dataset(labels=labels, order=None), checkpoint(weights(classes=4))))
    assert model.heads.regions == ("background", "NETC", "SNFH", "ET")
    outputs = model.probabilities(study)
    assert np.allclose(outputs.sum(axis=0), 1, atol=1e-5)
    assert np.array_equal(outputs[:, ~study.brain][0], np.ones((~study.brain).sum()))
    assert np.allclose(model.heads.probability("TC", outputs), outputs[1] + outputs[3])


def test_mirroring_averages_flips():
    run = mirrored(lambda x: torch.cumsum(x, dim=2), (0,))
    x = torch.arange(4.0).reshape(1, 1, 4, 1, 1)
    assert run(x).flatten().tolist() == [3.0, 3.5, 4.0, 4.5]


def test_windows_cover_and_blend():
    assert starts(110, 64) == [0, 23, 46]
    weight = importance((8, 6, 4))
    assert weight.min() > 0
    assert weight[4, 3, 2] == weight.max() == 10
    images = np.random.default_rng(0).normal(size=(2, 13, 5, 9)).astype(np.float32)
    assert np.allclose(slide(lambda x: x, images, (8, 6, 4), weight), images, atol=1e-5)


@pytest.mark.parametrize("shape", [(5, 7, 9), (10, 10, 10), (3, 20, 4)])
def test_resampling_keeps_edges_and_range(shape):
    ramp = np.broadcast_to(np.arange(10, dtype=np.float32)[:, None, None], (10, 10, 10))[None]
    out = Resampling(1).to_shape(ramp, shape, (1.0, 1.0, 1.0), (1.0, 1.0, 1.0))
    assert out.shape == (1, *shape)
    assert np.isclose(out.mean(), 4.5, atol=0.2)
    assert out.min() >= 0
    assert out.max() <= 9


def test_planes_are_resampled_alike_along_a_thick_axis():
    plane = np.random.default_rng(1).normal(size=(9, 9)).astype(np.float32)
    data = np.stack([plane * n for n in range(4)], axis=1)[None]
    out = Resampling(3, 1).to_shape(data, (12, 4, 6), (1.0, 6.0, 1.0), (0.75, 6.0, 1.5))
    alone = Resampling(3).to_shape(data[:, :, 2:3], (12, 1, 6), (1.0, 1.0, 1.0), (1.0, 1.0, 1.0))
    assert out.shape == (1, 12, 4, 6)
    assert np.allclose(out[:, :, 2:3], alone, atol=1e-5)
    assert Resampling(3, 1).to_shape(data, (9, 8, 9), (1.0, 6.0, 1.0), (1.0, 3.0, 1.0)).shape == (1, 9, 8, 9)


def test_thick_axes_are_resampled_on_their_own():
    assert Resampling().axis((5.0, 1.0, 1.0), (1.0, 1.0, 1.0)) == 0
    assert Resampling().axis((1.0, 1.0, 1.0), (1.0, 1.0, 4.0)) == 2
    assert Resampling().axis((0.2, 1.0, 1.0), (1.0, 1.0, 1.0)) is None
    assert Resampling(separate=False).axis((5.0, 1.0, 1.0), (1.0, 1.0, 1.0)) is None
    slices = np.arange(4, dtype=np.float32).reshape(1, 4, 1, 1) * np.ones((1, 4, 6, 6), np.float32)
    out = Resampling(3, 0).to_shape(slices, (8, 6, 6), (6.0, 1.0, 1.0), (3.0, 1.0, 1.0))
    assert out[0, :, 0, 0].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


# --- outputs -------------------------------------------------------------------------------------


def test_regions_become_classes_whatever_their_order():
    heads = Heads(("TC", "WT", "ET"), exclusive=False)
    outputs = np.array([[0, 0, 1, 1], [0, 1, 1, 1], [0, 0, 0, 1]], np.float32)[:, :, None, None]
    assert heads.labels(outputs).ravel().tolist() == [0, 2, 1, 3]


def test_what_no_output_tells_is_unknown():
    heads = Heads(("background", "WT"), exclusive=True)
    assert set(heads.not_assessable) == {"ET", "NETC", "TC", "SNFH", "RC"}
    assert heads.probability("ET", np.zeros((2, 1, 1, 1), np.float32)) is None


@pytest.mark.parametrize(
    ("name", "region"),
    [("Whole Tumour", "WT"), ("ED", "SNFH"), ("oedema", "SNFH"), ("necrotic core", "NETC"), ("AT", None), ("RC", "RC")],
)
def test_labels_by_name(name, region):
    if region is None:
        with pytest.raises(LabelError, match="'AT'"):
            region_of(name, "labels")
    else:
        assert region_of(name, "labels") == region


@pytest.mark.parametrize("names", [["t1", "T1w"], [], ["T1", "MRI"], ["0000"]])
def test_channels_that_are_no_sequences_are_refused(names):
    with pytest.raises(SequenceError):
        sequences_of(names, "dataset.json")


@pytest.mark.parametrize("order", [None, [1, 2], [3, 2, 1]])
def test_regions_need_their_order(order):
    with pytest.raises(LabelError, match="regions_class_order"):
        Dataset(channel_names={"0": "T1"}, labels=REGIONS, regions_class_order=order).heads  # noqa: B018


# --- refusals ------------------------------------------------------------------------------------


def test_numbers_of_an_older_numpy_in_the_log_are_read(tmp_path):
    folder = write(tmp_path)
    path = folder / "fold_0" / "checkpoint_final.pth"
    with zipfile.ZipFile(path) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    pickled = next(name for name in parts if name.endswith("data.pkl"))
    assert b"numpy._core.multiarray" in parts[pickled]
    parts[pickled] = parts[pickled].replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    assert len(read_nnunet(folder).networks) == 1


class Evil:
    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def test_code_in_a_checkpoint_is_refused_and_not_run(tmp_path):
    folder = write(tmp_path / "model", held=checkpoint(weights(), logging=Evil(tmp_path / "ran")))
    with pytest.raises(InputError, match=r"would execute \w+\.mkdir") as refused:
        read_nnunet(folder)
    assert refused.value.exit_code == 2
    assert str(tmp_path) not in str(refused.value)
    assert not (tmp_path / "ran").exists()


def arch(**more):
    return {"conf": configuration(architecture={"network_class_name": CLASS, "arch_kwargs": ARCH | more})}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"told": dataset(["FLAIR", "T1w", "t1gd", "CTA"])}, "'CTA'"),
        ({"told": dataset(labels=REGIONS | {"vessel": 4}, order=[1, 2, 3, 4])}, "'vessel'"),
        ({"told": {"labels": REGIONS}}, "channel_names"),
        ({"conf": configuration(architecture={"network_class_name": "evil.Net", "arch_kwargs": ARCH})}, "evil.Net"),
        ({"conf": configuration(normalization_schemes=["CTNormalization"] * 4)}, "CTNormalization"),
        ({"conf": configuration(normalization_schemes=["ZScoreNormalization"])}, "each channel"),
        ({"conf": configuration(resampling_fn_data="no_resampling_hack")}, "no_resampling_hack"),
        ({"conf": configuration(patch_size=[16, 16])}, "2-D"),
        ({"conf": configuration(patch_size=[15, 16, 16])}, "multiples"),
        ({"conf": configuration(previous_stage="3d_lowres")}, "cascade"),
        ({"conf": configuration(inherits_from="3d_fullres")}, "inherits from itself"),
        ({"plans": {"image_reader_writer": "NaturalImage2DIO"}}, "NaturalImage2DIO"),
        ({"plans": {"transpose_forward": [0, 0, 1]}}, "three axes"),
        ({"plans": {"configurations": {}}}, "3d_fullres"),
        (arch(norm_op="os.system"), "os.system"),
        (arch(conv_op="torch.nn.modules.conv.Conv2d"), "Conv2d"),
        (arch(squeeze_excitation=True), "squeeze_excitation"),
        (arch(strides=[[1, 1, 1]]), "n_stages"),
        (arch(strides=[[0, 1, 1], [2, 2, 2]]), "strides"),
        (arch(kernel_sizes=2), "odd"),
        (arch(kind="residual", norm_op_kwargs={"no_such_argument": 1.0}), "layers know"),
        (arch(dropout_op="torch.nn.modules.activation.ReLU"), "dropout_op"),
        ({"conf": configuration(architecture={"network_class_name": CLASS, "arch_kwargs": [1]})}, "arch_kwargs"),
        ({"conf": configuration(patch_size=16)}, "patch_size"),
        ({"conf": configuration(spacing=[0, 1, 1])}, "spacing"),
        ({"held": [1, 2]}, "configuration"),
        ({"held": {"state_dict": {}}}, "configuration"),
        ({"held": checkpoint({"a": 1})}, "weights by name"),
        ({"held": checkpoint(weights(classes=4))}, "other shape"),
        ({"held": checkpoint({"a": torch.zeros(1)})}, "missing"),
    ],
)
def test_what_cannot_be_reproduced_is_refused(tmp_path, given, told):
    with pytest.raises(InputError, match=told) as refused:
        read_nnunet(write(tmp_path, **given))
    assert refused.value.exit_code == 2
    assert str(tmp_path) not in str(refused.value)


@pytest.mark.parametrize("name", ["plans.json", "dataset.json", "fold_0/checkpoint_final.pth"])
def test_a_missing_or_broken_file_is_told(tmp_path, name):
    folder = write(tmp_path)
    (folder / name).write_bytes(b"not this")
    with pytest.raises(FileFormatError):
        read_nnunet(folder)
    (folder / name).unlink()
    with pytest.raises(InputError, match="no "):
        read_nnunet(folder)


def test_a_missing_sequence_is_told_by_name(tmp_path, study):
    segmenter = NnUnetSegmenter(write(tmp_path))
    without = replace(study, volumes={s: v for s, v in study.volumes.items() if s != T2})
    with pytest.raises(SequenceError, match="no T2"):
        segmenter.segment(without)


def test_an_empty_brain_is_refused(tmp_path, study):
    with pytest.raises(InputError, match="brain"):
        NnUnetSegmenter(write(tmp_path)).segment(replace(study, brain=np.zeros_like(study.brain)))
