"""De-identification: how many of the identifiers planted in a poisoned tree are left, beside a peer.

Run with ``python benchmarks/deidentify.py``; some seconds. The peer is what scripts usually do with pydicom:
empty every name, date, time and id, and ``remove_private_tags``.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pydicom

from tumorboard.deidentify import deidentify_tree

POISON = Path(__file__).parents[1] / "tests" / "deidentify" / "poison.py"


def poison_module() -> ModuleType:
    """Return the module that writes poisoned files, shared with the tests."""
    spec = importlib.util.spec_from_file_location("deidentify_poison", POISON)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def naive(source: Path, out: Path) -> None:
    """Do what a short pydicom script does."""

    def empty(_: Any, element: Any) -> None:
        if element.VR in ("PN", "DA", "TM", "DT") or element.keyword in ("PatientID", "AccessionNumber", "StudyID"):
            element.value = ""

    for n, path in enumerate(sorted(p for p in source.rglob("*") if p.is_file() and p.suffix != ".txt")):
        dataset = pydicom.dcmread(path)
        dataset.remove_private_tags()
        dataset.walk(empty)
        dataset.save_as(out / f"{n}.dcm")


def main() -> None:
    """Print planted and left, for us and for the peer, over the same files."""
    poison = poison_module()
    with tempfile.TemporaryDirectory() as place:
        poisons = poison.write_poisoned(Path(place) / "in")
        print(
            f"planted: {len(poisons.planted)} identifiers in {sum(p.is_file() for p in poisons.root.rglob('*'))} files"
        )
        for name, tool in (("tumorboard", lambda i, o: deidentify_tree([i], o)), ("naive pydicom script", naive)):
            out = Path(place) / name.split()[0]
            out.mkdir()
            start = time.process_time()
            tool(poisons.root, out)
            spent = time.process_time() - start
            files = [p for p in out.rglob("*") if p.is_file()]
            left = {place for p in files for place in poison.left_in(p.read_bytes(), poisons)}
            print(f"{name:22} left {len(left):3d}   files written {len(files):2d}   {spent:.2f} CPU-s")


if __name__ == "__main__":
    main()
