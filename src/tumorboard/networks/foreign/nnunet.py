"""A trained-model folder of nnU-Net v2, run without nnU-Net.

Why it exists: the field's own networks can be compared with ours, or used instead, through the same interface, and
nothing of theirs is installed or executed. It refuses what it cannot reproduce, and says what that was.

Source: Isensee F et al. nnU-Net. Nat Methods 2021;18:203-211.
"""

from __future__ import annotations

from pathlib import Path

from torch import nn

from tumorboard.errors import InputError
from tumorboard.networks.foreign.checkpoint import fingerprint, load_checkpoint, load_weights
from tumorboard.networks.foreign.inputs import Layout
from tumorboard.networks.foreign.model import ForeignModel
from tumorboard.networks.foreign.plans import Configuration, Dataset, Plans, read_json, validated
from tumorboard.networks.foreign.window import nnunet_windows

CHECKPOINT = "checkpoint_final.pth"
READERS = {"SimpleITKIO": "LPS", "NibabelIO": "LPS", "NibabelIOWithReorient": "RAS"}
"""Orientation that a reader of nnU-Net gives: that of the file (BraTS: LPS), or RAS."""

CITATION = "Isensee F et al. nnU-Net: a self-configuring method for deep learning-based biomedical image segmentation. "
CITATION += "Nat Methods 2021;18:203-211."


def read_nnunet(folder: Path, mirror: bool = False) -> ForeignModel:
    """Read a trained-model folder (``plans.json``, ``dataset.json``, ``fold_*/checkpoint_final.pth``).

    Parameters
    ----------
    folder : Path
        As nnU-Net wrote it; all folds in it are averaged.
    mirror : bool
        Average over flips as nnU-Net does by default: eight times the time.

    Raises
    ------
    InputError
        A file is missing, or the folder asks for something that is not reproduced: a network, layer, normalisation,
        channel or label name that is not known, a 2-D configuration or cascade, code in the checkpoint.

    Source
    ------
    nnU-Net v2, ``predict_from_raw_data.py``.
    """
    plans = validated(Plans, read_json(folder / "plans.json", "plans.json"), "plans.json")
    dataset = _dataset(folder)
    checkpoints = sorted(folder.glob(f"fold_*/{CHECKPOINT}"))
    if not checkpoints:
        raise InputError("a trained fold", got=f"no fold_*/{CHECKPOINT}", where="model", remedy="copy the whole folder")
    configuration: Configuration | None = None
    networks: list[nn.Module] = []
    axes: tuple[int, ...] = ()
    for path in checkpoints:
        role = f"{path.parent.name}/{CHECKPOINT}"
        held = load_checkpoint(path, role)
        if configuration is None:
            configuration = plans.configuration(_configuration_name(held, role))
            axes = _mirror_axes(held, role) if mirror else ()
        network = _network(configuration, dataset)
        networks.append(load_weights(network, held.get("network_weights") if isinstance(held, dict) else held, role))
    if configuration is None:
        raise InputError("a trained fold", got="none", where="model")
    window = _window(configuration)
    return ForeignModel(
        id="nnunet",
        version=fingerprint([folder / "plans.json", folder / "dataset.json", *checkpoints]),
        title=f"nnU-Net v2 ({_plain(plans.dataset_name)}, {len(networks)} fold{'s' * (len(networks) > 1)})",
        citation=CITATION,
        layout=_layout(plans, configuration, dataset),
        heads=dataset.heads,
        networks=tuple(networks),
        window=window,
        over_box=nnunet_windows(window, axes),
    )


def _dataset(folder: Path) -> Dataset:
    content = read_json(folder / "dataset.json", "dataset.json")
    if isinstance(content, dict) and "channel_names" not in content and "modality" in content:
        content = {**content, "channel_names": content["modality"]}
    return validated(Dataset, content, "dataset.json")


def _network(configuration: Configuration, dataset: Dataset) -> nn.Module:
    try:
        return configuration.unet.build(len(dataset.sequences), len(dataset.heads.regions))
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError("arguments that torch's layers know", got="others", where="plans.json") from error


def _configuration_name(held: object, role: str) -> str:
    try:
        return str(held["init_args"]["configuration"])  # type: ignore[index]
    except (KeyError, TypeError) as error:
        raise InputError("a checkpoint of nnU-Net v2", got="one that names no configuration", where=role) from error


def _mirror_axes(held: dict[str, object], role: str) -> tuple[int, ...]:
    axes = held.get("inference_allowed_mirroring_axes") or ()
    if not isinstance(axes, list | tuple) or not all(a in (0, 1, 2) for a in axes):
        raise InputError("mirror axes out of 0, 1, 2", got=repr(axes), where=role)
    return tuple(int(a) for a in axes)


def _layout(plans: Plans, configuration: Configuration, dataset: Dataset) -> Layout:
    if plans.image_reader_writer not in READERS:
        known = ", ".join(READERS)
        raise InputError(f"one of the readers {known}", got=repr(plans.image_reader_writer), where="plans.json")
    if sorted(plans.transpose_forward) != [0, 1, 2]:
        raise InputError("an order of three axes", got=f"{plans.transpose_forward}", where="plans.json")
    if len(configuration.normalise) != len(dataset.sequences):
        raise InputError("a normalisation of each channel", got=f"{len(configuration.normalise)}", where="plans.json")
    a, b, c = (2 - n for n in plans.transpose_forward)  # nnU-Net holds arrays as k, j, i
    return Layout(
        sequences=dataset.sequences,
        normalise=configuration.normalise,
        spacing_mm=configuration.spacing,
        axcodes=READERS[plans.image_reader_writer],
        axes=(a, b, c),
        images=configuration.resampling("data"),
        logits=configuration.resampling("probabilities"),
    )


def _window(configuration: Configuration) -> tuple[int, int, int]:
    window, multiples = configuration.patch_size, configuration.unet.multiples
    if min(window) < 1 or any(w % m for w, m in zip(window, multiples, strict=True)):
        raise InputError(f"a patch size in multiples of {multiples}", got=f"{window}", where="plans.json")
    return window


def _plain(name: str) -> str:
    return "".join(c for c in name if c.isalnum() or c in "_- ")[:40]
