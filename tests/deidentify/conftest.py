"""The poisoned files, and what they became."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def poison():
    """The module that writes poisoned files; it lies beside, for the benchmark loads it too."""
    spec = importlib.util.spec_from_file_location("deidentify_poison", Path(__file__).with_name("poison.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def poisoned(poison, tmp_path_factory):
    """Two patients, three studies, a report, and objects that must not leave."""
    return poison.write_poisoned(tmp_path_factory.mktemp("in") / "WEISSENBORN_AURELIA_19610304")


@pytest.fixture(scope="session")
def released(poisoned, tmp_path_factory) -> Path:
    """The same, de-identified."""
    from tumorboard.deidentify import deidentify_tree

    out = tmp_path_factory.mktemp("released") / "out"
    deidentify_tree([poisoned.root], out)
    return out
