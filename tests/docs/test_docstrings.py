"""Everything public says what it is; what others build on also says what it takes, gives, and how it is called."""

from __future__ import annotations

import ast
import enum
import importlib
import inspect
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

import tumorboard

SOURCE = Path(tumorboard.__file__).parent
MODULES = sorted(SOURCE.rglob("*.py"))

API = {
    "tumorboard": [name for name in tumorboard.__all__ if name != "__version__"],
    "tumorboard.intake": ["IntakeRequest", "take_in"],
    "tumorboard.prepare.prepare": ["prepare"],
    "tumorboard.prepare.brain": ["brain_mask"],
    "tumorboard.prepare.register": ["register"],
    "tumorboard.prepare.gate": ["assess_fit"],
    "tumorboard.prepare.native": ["raw_study", "working_grid", "sampled"],
    "tumorboard.prepare.skull": ["head_mask", "own_brain_mask"],
    "tumorboard.prepare.back": ["labels_to_native"],
    "tumorboard.prepare.bias": ["without_bias"],
    "tumorboard.prepare.subtract": ["subtraction"],
    "tumorboard.prepare.quality": ["assess"],
    "tumorboard.io.dicom.scan": ["scan_dicom"],
    "tumorboard.io.dicom.read": ["read_series"],
    "tumorboard.io.dicom.write": ["write_series"],
    "tumorboard.io.seg": ["segmentation"],
    "tumorboard.io.seg_read": ["read_segmentation"],
    "tumorboard.io.sr": ["measurement_report"],
    "tumorboard.io.pdf": ["encapsulated_pdf"],
    "tumorboard.io.capture": ["capture"],
    "tumorboard.intake.evidence": ["recognise_study"],
    "tumorboard.intake.protocol": ["check_protocol"],
    "tumorboard.deidentify": ["deidentify_tree"],
    "tumorboard.simulate.native": ["native_patient"],
    "tumorboard.simulate.cohort": ["CohortPlan"],
    "tumorboard.simulate.subject": ["draw_member"],
    "tumorboard.simulate.body.bulge": ["Bulge", "bulged", "before_swelling"],
    "tumorboard.simulate.disease.foci": ["ball"],
    "tumorboard.simulate.disease.glioma": ["draw_glioma"],
    "tumorboard.simulate.disease.lymphoma": ["draw_lymphoma"],
    "tumorboard.simulate.disease.metastases": ["draw_metastases"],
    "tumorboard.simulate.disease.mass": ["swelling", "displaced"],
    "tumorboard.simulate.disease.treatment": ["draw_plan", "visit"],
    "tumorboard.simulate.person.effects": ["traits_of"],
    "tumorboard.simulate.person.genes": ["draw_tissue"],
    "tumorboard.simulate.scanner.kspace": ["raw_data", "ghosted"],
    "tumorboard.simulate.scanner.maps": ["parameter"],
    "tumorboard.simulate.scanner.mixture": ["mixed"],
    "tumorboard.simulate.scanner.render": ["clean_signals", "acquired"],
    "tumorboard.simulate.scanner.sites": ["sliced"],
    "tumorboard.simulate.scanner.weighting": ["matter_signal", "table"],
    "tumorboard.simulate.tables": ["participant"],
    "tumorboard.simulate.person.people": ["draw_person"],
    "tumorboard.simulate.person.survival": ["survival", "draw_outcome"],
    "tumorboard.physics.relaxation": ["spin_echo", "gradient_echo", "inversion_recovery", "with_gadolinium"],
    "tumorboard.physics.diffusion": ["fit_adc", "fit_tensor", "tensor_maps", "tensor_signal"],
    "tumorboard.physics.perfusion": ["extended_tofts", "fit_extended_tofts", "blood_volume", "population_input"],
    "tumorboard.simulate.files.dicom_tree": ["write_digital_dicom"],
    "tumorboard.segment.fuzzy": ["FuzzySegmenter"],
    "tumorboard.segment.decision": ["decided"],
    "tumorboard.segment.learned": ["LearnedSegmenter"],
    "tumorboard.segment.named": ["segmenter_of"],
    "tumorboard.segment.calibrated": ["volume_interval"],
    "tumorboard.segment.likeness": ["likeness"],
    "tumorboard.detect.base": ["ranked"],
    "tumorboard.detect.template": ["TemplateDetector", "correlation"],
    "tumorboard.detect.tubes": ["tubeness"],
    "tumorboard.networks.grid": ["to_network", "from_network"],
    "tumorboard.networks.runtime": ["chosen_backend"],
    "tumorboard.networks.sliding": ["slide"],
    "tumorboard.learn.calibrate": ["fitted_temperature"],
    "tumorboard.learn.losses": ["region_loss"],
    "tumorboard.learn.pool.write": ["write_pool"],
    "tumorboard.learn.draw.contrast": ["draw_contrast"],
    "tumorboard.learn.draw.weigh": ["fold"],
    "tumorboard.measure.study": ["measure_study"],
    "tumorboard.measure.signs.mismatch": ["t2_flair_mismatch"],
    "tumorboard.measure.signs.vasari": ["vasari"],
    "tumorboard.measure.diameters": ["measure_diameters", "measurable", "fill_enclosed"],
    "tumorboard.measure.lesions": ["find_lesions"],
    "tumorboard.metrics.maps.components": ["as_numbers", "components", "shared_voxels"],
    "tumorboard.metrics.maps.detection": ["Found", "Case", "match"],
    "tumorboard.metrics.maps.evaluate": ["evaluate"],
    "tumorboard.metrics.maps.froc": ["FrocRules", "froc"],
    "tumorboard.metrics.maps.lesionwise": ["LesionRules", "lesion_wise"],
    "tumorboard.metrics.maps.nearest": ["nearest_mm"],
    "tumorboard.metrics.maps.overlap": ["dice"],
    "tumorboard.metrics.maps.panoptic": ["panoptic_quality"],
    "tumorboard.metrics.maps.surface": ["surface_distances"],
    "tumorboard.simulate.patient": ["digital_patient"],
    "tumorboard.simulate.files.tree": ["write_digital_patient"],
    "tumorboard.respond": ["judge", "judge_all", "read_criterion", "parse_settings"],
    "tumorboard.respond.align": ["align", "align_sides"],
    "tumorboard.respond.case.fits": ["read_fits", "write_fits"],
    "tumorboard.respond.case.course": ["course_of"],
    "tumorboard.respond.indices": ["assess"],
    "tumorboard.respond.indices.gpa": ["score"],
    "tumorboard.respond.indices.resect": ["resect_class"],
    "tumorboard.respond.indices.rpa": ["classify"],
    "tumorboard.respond.indices.velocity": ["velocity", "velocity_of_course"],
    "tumorboard.respond.indices.who2021": ["integrated_diagnosis"],
    "tumorboard.respond.cohort.compare": ["agreement"],
    "tumorboard.respond.cohort.surrogate": ["surrogate"],
    "tumorboard.respond.table.outcomes": ["read_outcomes"],
    "tumorboard.respond.table.read": ["read_visits"],
    "tumorboard.respond.table.write": ["write_times", "write_verdicts", "write_visits"],
    "tumorboard.report.build": ["build_report"],
    "tumorboard.report.course": ["course_picture"],
    "tumorboard.report.html": ["render_html"],
    "tumorboard.report.pdf": ["render_pdf"],
    "tumorboard.stages": ["run_stage"],
    "tumorboard.transform": ["Plane", "resample"],
    "tumorboard.registry": ["Registry"],
    "tumorboard.store": ["CaseFolder", "write_atomic"],
    "tumorboard.settings": ["RunSettings"],
}
"""What others call: the package's own names, and the entry points of each room."""

SHOWN_ELSEWHERE = {"Study", "Tissue"}
"""Made by ``prepare``; values of a ``LabelMap``: the examples there show them."""

PUBLIC = [(module, name) for module, names in API.items() for name in names]
each_public = pytest.mark.parametrize(("module", "name"), PUBLIC, ids=[f"{m}.{n}" for m, n in PUBLIC])


def doc_of(module: str, name: str) -> str:
    return inspect.getdoc(getattr(importlib.import_module(module), name)) or ""


def section(text: str, title: str) -> str:
    """Return what stands under a NumPy heading, up to the next one."""
    lines = text.splitlines()
    heads = [n for n in range(len(lines) - 1) if lines[n + 1] and set(lines[n + 1]) == {"-"}] + [len(lines)]
    for start, end in itertools.pairwise(heads):
        if lines[start] == title:
            return "\n".join(lines[start + 2 : end])
    return ""


def undocumented(tree: ast.Module) -> Iterator[str]:
    """Yield what is public, at the top or in a class, and has no docstring."""
    if not ast.get_docstring(tree):
        yield "the module"
    for node in tree.body:
        yield from _undocumented_in(node, "")


def _undocumented_in(node: ast.stmt, above: str) -> Iterator[str]:
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or node.name.startswith("_"):
        return
    if not ast.get_docstring(node):
        yield above + node.name
    for inner in node.body if isinstance(node, ast.ClassDef) else []:
        yield from _undocumented_in(inner, f"{node.name}.")


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(SOURCE).as_posix())
def test_everything_public_has_a_docstring(path):
    assert list(undocumented(ast.parse(path.read_text()))) == []


def test_a_missing_docstring_is_noticed():
    tree = ast.parse("class A:\n    def b(self): ...\n    def _c(self): ...\ndef d(): 'doc'\n")
    assert list(undocumented(tree)) == ["the module", "A", "A.b"]


def needed_parameters(thing: object) -> list[str]:
    """Return the parameters that a docstring must name: those that the thing itself declares."""
    if inspect.isclass(thing):
        if issubclass(thing, enum.Enum):
            return []
        if issubclass(thing, BaseModel):
            return [n for n, f in thing.model_fields.items() if f.is_required() and not f.description]
        if "__annotations__" not in vars(thing) and "__init__" not in vars(thing):
            return []
        inherited = {n for base in thing.__mro__[1:] for n in getattr(base, "__annotations__", {})}
        return [n for n in inspect.signature(thing).parameters if n not in inherited]
    return list(inspect.signature(thing).parameters)


@each_public
def test_parameters_are_named(module, name):
    told = section(doc_of(module, name), "Parameters")
    named = {n.strip() for line in told.splitlines() if line[:1].strip() for n in line.split(" : ")[0].split(",")}
    missing = set(needed_parameters(getattr(importlib.import_module(module), name))) - named
    assert not missing, f"{name} does not say what {sorted(missing)} are"


@each_public
def test_what_is_returned_is_told(module, name):
    thing = getattr(importlib.import_module(module), name)
    if inspect.isfunction(thing) and inspect.signature(thing).return_annotation not in ("None", None, "bool"):
        assert section(doc_of(module, name), "Returns"), f"{name} does not say what it returns"


@each_public
def test_there_is_an_example(module, name):
    assert name in SHOWN_ELSEWHERE or ">>>" in section(doc_of(module, name), "Examples")


def test_every_registered_segmenter_has_an_example():
    from tumorboard.segment import SEGMENTERS

    for name in SEGMENTERS:
        assert ">>>" in (inspect.getdoc(type(SEGMENTERS.make(name))) or ""), name
