"""Shared inputs: grids that are oblique, flipped, permuted, anisotropic or one voxel thin, as everyday things.

``st.from_type(Grid)``, ``st.from_type(Volume)`` and ``st.from_type(LabelMap)`` draw from these.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import fields, is_dataclass

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial.transform import Rotation

from tumorboard.labels import LabelMap
from tumorboard.sequences import Sequence
from tumorboard.simulate.scanner.acquisition import Acquisition
from tumorboard.volume import Grid, Volume

settings.register_profile(
    "house", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("house")

SPACINGS_MM = st.sampled_from([0.45, 0.9375, 1.0, 1.2, 3.0, 5.5]) | st.floats(0.3, 7.0)
ANGLES_DEG = st.just(0.0) | st.floats(-25.0, 25.0)
DTYPES = [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64]


@st.composite
def affines(draw):
    """Draw any right-angled affine: turned, with axes permuted and flipped, voxels of any shape."""
    turn = Rotation.from_euler("xyz", [draw(ANGLES_DEG) for _ in range(3)], degrees=True).as_matrix()
    order = draw(st.permutations(range(3)))
    signs = [draw(st.sampled_from([-1.0, 1.0])) for _ in range(3)]
    affine = np.eye(4)
    affine[:3, :3] = turn @ (np.eye(3)[:, order] * signs * [draw(SPACINGS_MM) for _ in range(3)])
    affine[:3, 3] = [draw(st.floats(-200.0, 200.0)) for _ in range(3)]
    return affine


@st.composite
def grids(draw):
    i, j, k = (draw(st.integers(1, 5)) for _ in range(3))
    return Grid((i, j, k), draw(affines()))


@st.composite
def volumes(draw):
    grid = draw(grids())
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    seed = draw(st.integers(0, 2**32 - 1))
    raw = np.random.default_rng(seed).integers(0, 250, grid.shape)
    return Volume((raw / 4 if dtype.kind == "f" else raw).astype(dtype), grid)


@st.composite
def label_maps(draw):
    grid = draw(grids())
    return LabelMap(draw(hnp.arrays(np.uint8, grid.shape, elements=st.integers(0, 4))), grid)


DEAR = {
    ("tumorboard.segment.learned", "slide"): 16,
    ("tumorboard.prepare.native", "register"): 64,
    ("tumorboard.prepare.native", "head_mask"): 8,
    ("tumorboard.cli.preflight", "head_mask"): 8,
    ("tumorboard.respond.align.template", "lay"): 32,
}
"""Pure functions that take seconds, where they are called, and how many of their answers are worth keeping."""


def _content(thing):
    """Return what two equal arguments share: digests of arrays, parts of containers, anything else itself."""
    if isinstance(thing, np.ndarray):
        return str(thing.dtype), thing.shape, hashlib.blake2b(np.ascontiguousarray(thing)).digest()
    if isinstance(thing, Volume):
        return _content(thing.data), _content(thing.affine)
    if isinstance(thing, Mapping):
        return tuple((key, _content(value)) for key, value in thing.items())
    if is_dataclass(thing):
        return tuple(_content(getattr(thing, field.name)) for field in fields(thing))
    return tuple(map(_content, thing)) if isinstance(thing, list | tuple) else thing


class Remembered:
    """Answers of dear functions by what they were asked: one digital head is registered and looked at once.

    The functions' own rooms test them, and that they answer alike each time; chains that use them need not wait again.
    """

    def __init__(self):
        self.answers = {}

    @contextmanager
    def __call__(self, fresh=False):
        """Let the chain ask here; ``fresh`` asks the functions themselves."""
        with pytest.MonkeyPatch.context() as patch:
            for place, kept in () if fresh else DEAR.items():
                module = importlib.import_module(place[0])
                patch.setattr(module, place[1], self._asking(getattr(module, place[1]), kept))
            yield

    def _asking(self, function, kept):
        answers = self.answers.setdefault(function, {})

        def ask(*given):
            key = tuple(_content(part) for part in given if not isinstance(part, str))  # where: in messages alone
            if key not in answers:
                answers[key] = function(*given)
                while len(answers) > kept:
                    del answers[next(iter(answers))]
            return deepcopy(answers[key])

        return ask


@pytest.fixture(scope="session")
def remembered():
    """Spare chains what was computed before in this process: ``with remembered(): …``."""
    return Remembered()


st.register_type_strategy(Grid, grids())
st.register_type_strategy(Volume, volumes())
st.register_type_strategy(LabelMap, label_maps())


@pytest.fixture(scope="session")
def coarse_patient():
    """One digital patient at 4 mm, made once for the rooms that prepare and segment."""
    from tumorboard.simulate.patient import digital_patient

    return digital_patient(seed=7, spacing_mm=4.0)


@pytest.fixture(scope="session")
def coarse_prepared(coarse_patient):
    """Its first study, prepared."""
    from tumorboard.prepare.prepare import prepare

    return prepare("ses-01", coarse_patient.studies[0].volumes)


COARSE = {
    Sequence.T1: Acquisition("sagittal", 3.0, 3.0, 1.0, (240.0, 240.0, 190.0), 4.0),
    Sequence.T1C: Acquisition("axial", 2.5, 4.0, 0.0, (220.0, 240.0, 176.0), 6.0, -2.0),
    Sequence.T2: Acquisition("axial", 2.5, 5.0, 0.5, (210.0, 240.0, 176.0), 8.0, 2.0),
    Sequence.FLAIR: Acquisition("coronal", 3.0, 4.0, 0.4, (220.0, 230.0, 200.0), 5.0),
}
"""Planes of each sequence: few voxels, but thick, tilted and of unlike shapes as in hospitals."""


@pytest.fixture(scope="session")
def few_voxels():
    """Let DICOM studies of these protocols have few voxels: ``with few_voxels("mixed"): …``."""
    from tumorboard.simulate import native
    from tumorboard.simulate.files import dicom_tree
    from tumorboard.simulate.scanner import acquisition

    few = {
        "LOCALIZER": tuple(Acquisition(p, 8.0, 8.0, 12.0, (256.0, 256.0, 60.0)) for p in acquisition.AXES),
        "DIFFUSION": Acquisition("axial", 8.0, 5.0, 0.5, (240.0, 240.0, 60.0)),
        "REFORMAT": Acquisition("coronal", 8.0, 9.0, 0.0, (220.0, 220.0, 200.0)),
    }

    @contextmanager
    def patched(*protocols):
        with pytest.MonkeyPatch.context() as patch:
            for protocol in protocols:
                patch.setitem(acquisition.PROTOCOLS, protocol, COARSE)
            patch.setattr(native, "LOCALIZER", few["LOCALIZER"])
            patch.setattr(native, "DIFFUSION", few["DIFFUSION"])
            patch.setattr(dicom_tree, "REFORMAT", few["REFORMAT"])
            yield

    return patched


@pytest.fixture(scope="session")
def coarse_dicom(tmp_path_factory, few_voxels):
    """A digital patient's DICOM studies of few voxels with events and truth, made once; not to be changed."""
    from tumorboard.simulate import native
    from tumorboard.simulate.files import dicom_tree

    folder = tmp_path_factory.mktemp("coarse_dicom")
    with few_voxels("coarse"):
        patient = native.native_patient(seed=3, spacing_mm=3.0, protocol="coarse")
        dicom_tree.write_digital_dicom(patient, folder)
    return folder


@pytest.fixture(scope="session")
def tiny_metadata():
    """Make metadata of a network with random weights; anything may be given another value."""
    from tumorboard.networks.bundle import Metadata

    def made(**changed):
        told = {
            "id": "tiny",
            "version": "1",
            "task": "segment",
            "title": "Random weights",
            "sequences": (Sequence.T1, Sequence.T1C, Sequence.T2, Sequence.FLAIR),
            "needs_any": (Sequence.FLAIR,),
            "labels": {"NETC": 1, "SNFH": 2, "ET": 3, "RC": 4},
            "intended_use": "tests",
            "training": "nothing",
            "limits": "all",
            "citation": "",
            "licence": "Apache-2.0",
        }
        return Metadata.model_validate(told | changed)

    return made


IDH = """\
id: idh
title: IDH from age, sex and Karnofsky index
cites: nobody
question: Is the glioma IDH-mutant?
endpoint: {kind: binary, column: idh, positive: "1", negative: "0"}
representation: [{name: clinical, columns: [age, sex, kps]}]
prepare: [{name: impute, how: mean}, zscore]
learner: {name: logistic, strength: 1.0}
validation: {name: kfold, folds: 3}
metrics: [auc, brier]
"""


@pytest.fixture(scope="session")
def digital_tables(tmp_path_factory):
    """Tables of 60 digital gliomas of two sites, with invented expression: a folder."""
    from tumorboard.simulate.subject import Kind, draw_member
    from tumorboard.simulate.tables import PARTICIPANTS, expression, expression_header, participant

    folder = tmp_path_factory.mktemp("tables")
    members = {f"digital{n + 1}": draw_member(1, n, Kind.GLIOMA, 2, 1) for n in range(60)}
    sheets = {
        "participants": [PARTICIPANTS, *(participant(k, m) for k, m in members.items())],
        "expression": [expression_header(), *(expression(k, m) for k, m in members.items())],
    }
    sheets["expression"] = [[who, *reversed(genes)] for who, *genes in sheets["expression"]]  # in no order of names
    for name, rows in sheets.items():
        (folder / f"{name}.tsv").write_text("\n".join("\t".join(map(str, r)) for r in rows) + "\n")
    return folder


@pytest.fixture(scope="session")
def idh_model(digital_tables, tmp_path_factory):
    """A model of digital patients from a table, trained in a moment: its folder."""
    from tumorboard.lab import parse_recipe, run_recipe
    from tumorboard.lab.cohort import read_cohort
    from tumorboard.lab.results import model_of

    folder = tmp_path_factory.mktemp("idh") / "model"
    model_of(run_recipe(parse_recipe(IDH), read_cohort(digital_tables / "participants.tsv"))).save(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_detector(tiny_metadata):
    """Make a detector of random weights that sees T1C and black-blood, on a grid of so many mm."""
    from tumorboard.networks.architectures import Architecture
    from tumorboard.networks.bundle import Bundle, Pass, seeded

    def made(spacing_mm, needs_any=(Sequence.T1C, Sequence.BB)):
        how = Architecture(name="dynunet-blocks", channels=2, classes=2, filters=(8, 8, 8))
        told = tiny_metadata(
            task="detect",
            sequences=(Sequence.T1C, Sequence.BB),
            needs_any=needs_any,
            labels={"lesion": 1},
            passes=(Pass(name="fine", spacing_mm=spacing_mm, window=(32, 32, 32), architecture=how),),
        )
        return Bundle(told, {f"fine.{k}": v for k, v in seeded(how).items()})

    return made


BRATS = {Sequence.T1: "t1n", Sequence.T1C: "t1c", Sequence.T2: "t2w", Sequence.FLAIR: "t2f"}


@pytest.fixture(scope="session")
def write_brats():
    """Write a case of digital patients below a folder as BraTS 2023 names it, which knows no cavity."""
    from tumorboard.io.images import write_volume

    def write(folder, case, name):
        for sequence, volume in case.study.volumes.items():
            write_volume(volume, folder / name / f"{name}-{BRATS[sequence]}.nii.gz")
        labels = np.where(case.truth.data == 4, 0, case.truth.data).astype(np.uint8)
        write_volume(Volume(labels, case.truth.grid), folder / name / f"{name}-seg.nii.gz")

    return write
