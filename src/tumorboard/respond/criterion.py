"""A response criterion as a table: what it measures, its thresholds, its windows, and how sure each of them is.

Why it exists: a threshold written into code cannot be cited, compared or corrected. A new criterion is one TOML file in
``criteria/``; the engine knows none of them by name. Keys in ``unverified`` were not read in the primary source.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tumorboard.errors import InputError, did_you_mean
from tumorboard.respond.visits import Compartment, Kind

CRITERIA = (
    *("macdonald", "rano-hgg", "rano-lgg", "mrano", "rano-2.0"),
    *("rano-bm", "irano", "recist-1.1", "ipcg", "volumetric"),
)
"""Criteria in the order of the field: gliomas, metastases, overlay, lymphoma, volumes."""


class Measure(StrEnum):
    """What is summed: products of diameters, longest diameters, or volumes."""

    PRODUCT = "product"
    LONGEST = "longest"
    VOLUME = "volume"


UNITS = {Measure.PRODUCT: "mm2", Measure.LONGEST: "mm", Measure.VOLUME: "mL"}
NAMES = {Measure.PRODUCT: "sum of products", Measure.LONGEST: "sum of longest diameters", Measure.VOLUME: "volume"}


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Thresholds(_Frozen):
    """Falls and rises of a sum, as parts of what it is compared with.

    Parameters
    ----------
    pr_fall, mr_fall : float
        Least fall against the baseline for a partial and a minor response.
    pd_rise : float
        Least rise against the nadir for progression.
    pd_least : float
        Least absolute rise of the sum, in its unit.
    pd_least_lesion : float
        Least absolute rise of one lesion, in the sum's unit.
    """

    pr_fall: float = Field(gt=0, lt=1)
    mr_fall: float | None = Field(default=None, gt=0, lt=1)
    pd_rise: float = Field(gt=0)
    pd_least: float = Field(default=0.0, ge=0)
    pd_least_lesion: float = Field(default=0.0, ge=0)


class SizeRule(_Frozen):
    """When a lesion is measurable: both diameters, and slices that are thin enough for it."""

    long_mm: float = 10.0
    perp_mm: float = 10.0
    slices: float = Field(default=2.0, description="the longest diameter spans so many slices at least")
    perp_slices: float = Field(default=2.0, description="the perpendicular one too; 0 asks nothing")


class Window(_Frozen):
    """When progression waits for another study, and what that study has to show.

    Parameters
    ----------
    name : str
        Printed.
    since : str
        ``rt_end``, ``immunotherapy``, or ``always``.
    days : int
        Last day of the window, counted from there.
    confirm_days : int
        The deciding study comes at least so long after.
    against : str
        ``same_reference``: progression again; ``pending_scan``: further progression against the study that waits.
    holds : tuple of str
        Rules that wait; empty means all.
    outside_field_counts : bool
        A new lesion outside the high-dose field of radiotherapy does not wait.
    unless_worse : bool
        Nothing waits in a patient who is clinically worse.
    """

    name: str
    since: Literal["rt_end", "immunotherapy", "always"]
    days: int = 0
    confirm_days: int = 28
    against: Literal["same_reference", "pending_scan"] = "same_reference"
    holds: tuple[str, ...] = ()
    outside_field_counts: bool = False
    unless_worse: bool = False


class Criterion(_Frozen):
    """One criterion; see the files in ``criteria/``.

    Parameters
    ----------
    id, title, version, source : str
        What it is, and where it was published.
    unverified : mapping of str to str
        Settings that were not read in the primary source, and what is known of them.
    unknown : mapping of str to str
        Settings that nobody could verify at all; they have no default, the user gives them.
    measure : Measure
        What is summed; thresholds of others stand beside it.
    product, longest, volume : Thresholds
        For each measure that the criterion allows.
    compartments : tuple of Compartment
        What is measured, the leading one first; two make disease mixed.
    pooled : bool
        Lesions of all compartments are summed together instead.
    watched : tuple of Compartment
        What must not appear or grow, without being a target.
    minor_in : tuple of Compartment
        Where a minor response exists.
    size : SizeRule or None
        When a lesion is measurable; ``None``: always.
    targets : str
        ``measurable`` lesions of the reference study, or ``all`` of them.
    max_targets : int or None
        For each compartment.
    most_without : int or None
        While no compartment has more measurable lesions, the criterion runs without ``max_targets``.
    add_new : bool
        New lesions join the sum: measurable ones, or all where all are targets.
    new_lesion : str
        What a new lesion means: ``pd``, ``measurable`` (progression when it is), or ``sum`` (only by the sum).
    new_alone_in_immunotherapy : bool
        Whether a new lesion alone is progression under immunotherapy.
    nontarget : bool
        Whether unequivocal growth of what is not measured is progression.
    t2flair : str
        ``always``, ``antiangiogenic`` (only under such a drug) or ``never``.
    steroids : str
        ``all``: a dose above the baseline's is not evaluable, complete responses are off steroids; ``cr``: only the
        latter; ``none``.
    clinical, eye_csf : bool
        Facts that the criterion needs.
    progression_needs_steroids : bool
        Progression asks for a dose that was not reduced.
    best_without_measurable : str
        ``SD`` where disease that cannot be measured can do no better.
    baseline : tuple of Kind
        Reference of responses, the best kind first.
    nadir_from : tuple of Kind
        From where the nadir counts, where such a study exists; else from the baseline.
    confirm_response_days : int
        A response is seen again so long after; 0 asks for none.
    windows : tuple of Window
        When progression waits.
    parent : str
        The criterion this one lies over.
    """

    id: str
    title: str
    version: str
    source: str
    unverified: Mapping[str, str] = Field(default_factory=dict)
    unknown: Mapping[str, str] = Field(default_factory=dict)
    measure: Measure
    product: Thresholds | None = None
    longest: Thresholds | None = None
    volume: Thresholds | None = None
    compartments: tuple[Compartment, ...] = (Compartment.CE,)
    pooled: bool = False
    watched: tuple[Compartment, ...] = ()
    minor_in: tuple[Compartment, ...] = ()
    size: SizeRule | None = None
    targets: Literal["measurable", "all"] = "measurable"
    max_targets: int | None = Field(default=None, ge=1)
    most_without: int | None = None
    add_new: bool = False
    new_lesion: Literal["pd", "measurable", "sum"] = "pd"
    new_alone_in_immunotherapy: bool = True
    nontarget: bool = True
    t2flair: Literal["always", "antiangiogenic", "never"] = "never"
    steroids: Literal["all", "cr", "none"] = "all"
    clinical: bool = True
    eye_csf: bool = False
    progression_needs_steroids: bool = False
    best_without_measurable: Literal["", "SD"] = ""
    baseline: tuple[Kind, ...] = (Kind.POST_OP, Kind.BASELINE)
    nadir_from: tuple[Kind, ...] = ()
    confirm_response_days: int = Field(default=28, ge=0)
    windows: tuple[Window, ...] = ()
    parent: str = ""

    @cached_property
    def thresholds(self) -> Thresholds:
        """Thresholds of the measure in use."""
        found: Thresholds | None = getattr(self, self.measure.value)
        if found is None:
            known = [m.value for m in Measure if getattr(self, m.value) is not None]
            raise InputError(f"{self.id}.measure of {', '.join(known)}", got=self.measure.value, where="--set")
        return found


def read_criterion(name: str, settings: Mapping[str, Any] | None = None) -> Criterion:
    """Read a criterion and lay the user's settings over it.

    Parameters
    ----------
    name : str
        One of :data:`CRITERIA`.
    settings : mapping of str to value, optional
        By key, dotted for tables within: ``{"max_targets": 2, "product.pd_rise": 0.4}``.

    Returns
    -------
    Criterion

    Raises
    ------
    InputError
        An unknown criterion, key or value.

    Examples
    --------
    >>> read_criterion("rano-2.0").volume.pd_rise
    0.4
    >>> read_criterion("rano-2.0", {"max_targets": 2}).max_targets
    2
    """
    if name not in CRITERIA:
        raise InputError(f"a criterion of {', '.join(CRITERIA)}", got=repr(name), where="--criteria")
    settings = dict(settings or {})
    table = _table(name)
    parent = str(settings.pop("parent", table.get("parent", "")))
    if parent:
        table = _over(_table(_parent(name, parent)), table | {"parent": parent})
    for key, value in settings.items():
        table = _with(name, table, key, value)
    try:
        criterion = Criterion.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        remedy = "the keys and values of every criterion stand in docs/reference/criteria.md"
        raise InputError(f"a value that fits {name}.{key}", got="another", where="--set", remedy=remedy) from error
    criterion.thresholds  # noqa: B018  # refuses a measure without thresholds here, not at the first visit
    return criterion


def _parent(name: str, parent: str) -> str:
    allowed = [c for c in CRITERIA if c.startswith("rano")]
    if parent not in allowed:
        raise InputError(f"{name}.parent of {', '.join(allowed)}", got=repr(parent), where="--set")
    return parent


@cache
def _text(name: str) -> str:
    return (files("tumorboard.respond") / "criteria" / f"{name}.toml").read_text(encoding="utf-8")


def _table(name: str) -> dict[str, Any]:
    return tomllib.loads(_text(name))


def _over(parent: dict[str, Any], child: dict[str, Any]) -> dict[str, Any]:
    """Lay an overlay over its parent: its windows come first, its notes are added, anything else replaces."""
    notes = {**parent.get("unverified", {}), **child.get("unverified", {})}
    windows = [*child.get("windows", []), *parent.get("windows", [])]
    return {**parent, **child, "unverified": notes, "windows": windows}


def _with(name: str, table: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    """Return the table with one setting changed; what the user gives is no longer unverified."""
    first, _, rest = key.partition(".")
    if first not in _SETTABLE:
        remedy = did_you_mean(first, _SETTABLE, "see docs/reference/criteria.md")
        raise InputError(f"a key of {', '.join(_SETTABLE)}", got=repr(key), where=f"--set {name}", remedy=remedy)
    if rest:
        below = table.get(first, {})
        if not isinstance(below, dict):
            raise InputError(f"a value for {name}.{first}", got=repr(key), where="--set")
        changed: Any = {**below, rest: value}
    else:
        changed = value
    notes = {k: note for k, note in table.get("unverified", {}).items() if k != key}
    return {**table, first: changed, "unverified": notes}


_SETTABLE = tuple(f for f in Criterion.model_fields if f not in ("id", "title", "version", "source", "unverified"))

_Value = TypeVar("_Value")


def parse_settings(words: tuple[str, ...] | list[str]) -> dict[str, dict[str, Any]]:
    """Read ``CRITERION.KEY=VALUE`` words.

    Parameters
    ----------
    words : sequence of str
        As given after ``--set``.

    Returns
    -------
    dict of str to dict
        Settings by criterion; values are read as TOML where they are, else as text.

    Raises
    ------
    InputError
        A word of another form, or a criterion that does not exist.

    Examples
    --------
    >>> parse_settings(["rano-2.0.max_targets=2", "irano.parent=rano-bm"])
    {'rano-2.0': {'max_targets': 2}, 'irano': {'parent': 'rano-bm'}}
    """
    out: dict[str, dict[str, Any]] = {}
    for word in words:
        path, equals, value = word.partition("=")
        name = next((c for c in CRITERIA if path.startswith(f"{c}.")), "")
        key = path[len(name) + 1 :]
        if not (name and key and equals and value):
            remedy = "write it like rano-2.0.max_targets=2"
            raise InputError("CRITERION.KEY=VALUE", got="another form", where="--set", remedy=remedy)
        out.setdefault(name, {})[key] = _value(value)
    return out


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"x = {text}")["x"]
    except tomllib.TOMLDecodeError:
        return text
