"""nnU-Net's half of ``train_speed.py``: plan, train and predict with nnU-Net v2's own parts, on the processor.

``train_speed.py`` runs it in nnU-Net's own environment: ``python nnunet_driver.py plan|train SETTINGS.json``. Nothing
of tumorboard is imported here, and tumorboard never imports this. What it found is written beside the settings.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import torch
from nnunetv2.experiment_planning.experiment_planners.network_topology import get_pool_and_conv_props
from nnunetv2.experiment_planning.plan_and_preprocess_api import extract_fingerprint_dataset, plan_experiment_dataset
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
from nnunetv2.paths import nnUNet_preprocessed
from nnunetv2.preprocessing.preprocessors.default_preprocessor import DefaultPreprocessor
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

DATASET = 1
CONFIGURATION = "3d_fullres"
PLANS = "nnUNetPlans"
LEAST_EDGE, BASE, MOST = 4, 32, 320
"""Of nnU-Net's planner: smallest side of the deepest level, channels of the first level, most channels of any."""

Told = dict[str, Any]


def home(asked: Told) -> Path:
    """Return the folder of the preprocessed data set."""
    return Path(nnUNet_preprocessed) / asked["dataset"]


def planned(asked: Told) -> Told:
    """Let nnU-Net plan, give its plan our patch and batch with the network that it has for them, and preprocess."""
    extract_fingerprint_dataset(DATASET, num_processes=1, verbose=False, show_progress_bar=False)
    plan_experiment_dataset(DATASET)
    file = home(asked) / f"{PLANS}.json"
    plans = json.loads(file.read_text())
    own = plans["configurations"][CONFIGURATION]
    patch = [asked["patch"][::-1][axis] for axis in plans["transpose_forward"]]  # nnU-Net holds images as k, j, i
    chosen = [own["patch_size"][axis] for axis in plans["transpose_backward"]][::-1]
    by_itself = {"patch": chosen, "batch": own["batch_size"]}
    _, strides, kernels, size, _ = get_pool_and_conv_props(own["spacing"], patch, LEAST_EDGE, 999999)
    levels = len(strides)
    numbers = {
        "n_stages": levels,
        "features_per_stage": [min(MOST, BASE * 2**n) for n in range(levels)],
        "strides": strides,
        "kernel_sizes": kernels,
        "n_conv_per_stage": [2] * levels,
        "n_conv_per_stage_decoder": [2] * (levels - 1),
    }
    own |= {"patch_size": [int(n) for n in size], "batch_size": asked["batch"]}
    own["architecture"]["arch_kwargs"] |= numbers
    file.write_text(json.dumps(plans, indent=1))
    DefaultPreprocessor(verbose=False).run(DATASET, CONFIGURATION, PLANS, num_processes=1)
    return {"fits": own["patch_size"] == patch, "by_itself": by_itself, **numbers}


def made(asked: Told) -> nnUNetTrainer:
    """Return nnU-Net's trainer of all cases; one epoch is one step, so that its learning rate falls over the steps."""
    plans = json.loads((home(asked) / f"{PLANS}.json").read_text()) | {"continue_training": False}
    dataset = json.loads((home(asked) / "dataset.json").read_text())
    trainer = nnUNetTrainer(plans, CONFIGURATION, "all", dataset, torch.device("cpu"))
    trainer.num_epochs = asked["steps"]
    trainer.on_train_start()
    trainer.dataloader_val._finish()  # no validation here; its process would be a second one
    return trainer


def learned(trainer: nnUNetTrainer, asked: Told) -> Told:
    """Train; return wall and processor seconds of the steps after the warm-up."""
    marks: list[tuple[float, float]] = []
    trainer.network.train()
    for step in range(asked["steps"]):
        trainer.lr_scheduler.step(step)
        trainer.train_step(next(trainer.dataloader_train))
        if step + 1 in (asked["warm_up"], asked["steps"]):
            marks.append((time.perf_counter(), time.process_time()))
    (wall, own), (wall_end, own_end) = marks
    return {"wall_s": wall_end - wall, "cpu_s": own_end - own}


def predicted(trainer: nnUNetTrainer, asked: Told) -> None:
    """Outline the held-out cases with nnU-Net's predictor: half-window steps, no mirroring."""
    weights = {name: value.clone() for name, value in trainer.network.state_dict().items()}
    trainer.set_deep_supervision_enabled(False)
    predictor = nnUNetPredictor(
        tile_step_size=0.5, use_gaussian=True, use_mirroring=False, device=torch.device("cpu"), allow_tqdm=False
    )
    managers = (trainer.plans_manager, trainer.configuration_manager)
    predictor.manual_initialization(
        trainer.network, *managers, [weights], trainer.dataset_json, type(trainer).__name__, None
    )
    Path(asked["found"]).mkdir(parents=True, exist_ok=True)
    predictor.predict_from_files_sequential(asked["held"], asked["found"])


def trained(asked: Told) -> Told:
    """Train and predict."""
    torch.set_num_threads(asked["threads"])
    torch.manual_seed(0)
    trainer = made(asked)
    told = learned(trainer, asked)
    trainer.dataloader_train._finish()
    predicted(trainer, asked)
    count = sum(p.numel() for p in trainer.network.parameters())
    return {**told, "parameters": count}


def main() -> None:
    """Do one of the two, and write what was found."""
    work, settings = sys.argv[1], Path(sys.argv[2])
    asked = json.loads(settings.read_text())
    told = {"plan": planned, "train": trained}[work](asked)
    settings.with_name(f"{work}.json").write_text(json.dumps(told, default=int))


if __name__ == "__main__":
    main()
