"""Representations by name, and the one call that makes any of them.

Why it exists: a recipe names a representation and its settings; both are checked before an image is opened. One line
enrols another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from tumorboard.errors import InputError, did_you_mean
from tumorboard.lab.represent.base import Gap, Job, Learned, Representation, Represented, Settings
from tumorboard.lab.represent.clusters import Clusters
from tumorboard.lab.represent.columns import Clinical, Molecular, Named
from tumorboard.lab.represent.curves import Curves
from tumorboard.lab.represent.deep import Deep
from tumorboard.lab.represent.delta import Delta
from tumorboard.lab.represent.dictionary import Dictionary
from tumorboard.lab.represent.expression import Expression
from tumorboard.lab.represent.histogram import Histogram
from tumorboard.lab.represent.learned import prefixed
from tumorboard.lab.represent.location import Location
from tumorboard.lab.represent.network import Network
from tumorboard.lab.represent.radiomics import Radiomics, RadiomicsSet, check_radiomics
from tumorboard.lab.represent.shape import Shape
from tumorboard.lab.represent.signs import Signs
from tumorboard.lab.represent.stransform import STransform
from tumorboard.lab.table import Unit
from tumorboard.sequences import Sequence as Kind

if TYPE_CHECKING:
    from tumorboard.lab.cohort import Cohort

REPRESENTATIONS: dict[str, Representation[Any]] = {
    one.name: one
    for one in (
        *(Radiomics(), Delta(), Shape(), Histogram(), Clusters(), Curves(), Deep(), STransform(), Dictionary()),
        *(Location(), Signs(), Clinical(), Molecular(), Named(), Expression(), Network()),
    )
}
"""Every representation by name."""

__all__ = [
    "REPRESENTATIONS",
    "Gap",
    "Job",
    "Learned",
    "Representation",
    "Represented",
    "check_representation",
    "check_settings",
    "represent",
]


def represent(  # noqa: PLR0913 - one argument for each part of a recipe, all but three by name
    name: str,
    cohort: Cohort,
    units: Sequence[Unit],
    *,
    sequences: Iterable[str] = (),
    regions: Iterable[str] = (),
    settings: Mapping[str, Any] | None = None,
    cache: Path | None = None,
    workers: int = 1,
    tell: Callable[[int], None] | None = None,
) -> Represented:
    r"""Make one representation of a cohort.

    Parameters
    ----------
    name : str
        Of :data:`REPRESENTATIONS`.
    cohort : Cohort
        Whose images and tables.
    units : sequence of Unit
        Rows, in this order.
    sequences : iterable of str
        ``T1C``, ``ADC`` …
    regions : iterable of str
        Of :data:`tumorboard.lab.regions.REGIONS`, with numbers where they take them.
    settings : mapping, optional
        Of the representation.
    cache : Path, optional
        Folder where finished rows are kept; a run that was killed goes on from there.
    workers : int
        Processes.
    tell : callable, optional
        Called with the number of units done.

    Returns
    -------
    Represented

    Raises
    ------
    InputError
        An unknown name, setting, sequence or region (the nearest is proposed), or no unit has what is asked for.

    Examples
    --------
    >>> from tumorboard.lab.cohort import Cohort, parse_sheet
    >>> cohort = Cohort({}, {"people": parse_sheet("people", "participant_id,age,sex\nA,60,F\nB,44,M\n")})
    >>> made = represent("clinical", cohort, cohort.units("patient"))
    >>> made.table.names, made.table.values.tolist()
    (('age', 'sex=M'), [[60.0, 0.0], [44.0, 1.0]])
    """
    what = _known(name)
    told, kinds, places = check_representation(name, settings or {}, sequences, regions)
    if what.images and not cohort.people:
        remedy = "give the folder of the images"
        raise InputError(f"a cohort with images for {name}", got="a table alone", where="representation", remedy=remedy)
    if not units:
        raise InputError("at least one unit", got="none", where="representation")
    made = what.represent(Job(cohort, tuple(units), kinds, places, told, cache, workers, tell))
    return prefixed(made, told.prefix)


def check_representation(
    name: str, settings: Mapping[str, Any], sequences: Iterable[str], regions: Iterable[str]
) -> tuple[Settings, tuple[Kind, ...], tuple[str, ...]]:
    """Return settings, sequences and regions of a representation, or refuse them, before anything is read.

    Parameters
    ----------
    name, settings, sequences, regions
        As :func:`represent`.

    Raises
    ------
    InputError
        One does not exist (the nearest is proposed), or none is named where one is needed.

    Examples
    --------
    >>> check_representation("histogram", {}, ["ADC"], ["rimg"])
    Traceback (most recent call last):
    ...
    tumorboard.errors.InputError: region: expected one of ET, TC, ...; got 'rimg'. What to do: did you mean 'ring'?
    """
    told = check_settings(name, settings)
    kinds, places = _sequences(sequences), _regions(regions)
    given = {"sequences": kinds, "regions": places}
    for what_is_needed in _known(name).needs:
        if not given[what_is_needed]:
            raise InputError(f"{what_is_needed} for {name}", got="none", where="representation")
    return told, kinds, places


def check_settings(name: str, settings: Mapping[str, Any]) -> Settings:
    """Return the settings of a representation, or refuse them.

    Parameters
    ----------
    name : str
        Of :data:`REPRESENTATIONS`.
    settings : mapping
        As a recipe gives them.

    Raises
    ------
    InputError
        An unknown name or key (the nearest is proposed), or a value that does not fit.

    Examples
    --------
    >>> check_settings("clusters", {"counts": 3})
    Traceback (most recent call last):
    ...
    tumorboard.errors.InputError: clusters: expected settings prefix, study, ...; got 'counts'. What to do: did you ...
    """
    model = _known(name).settings
    try:
        told = model.model_validate(dict(settings))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(p) for p in first["loc"])
        if first["type"] == "extra_forbidden":
            remedy = did_you_mean(key, model.model_fields, "leave it out")
            expected = f"settings {', '.join(model.model_fields)}"
            raise InputError(expected, got=repr(key), where=name, remedy=remedy) from error
        raise InputError(f"a value that fits {key!r}", got=first["msg"], where=name) from error
    if isinstance(told, RadiomicsSet):
        check_radiomics(told)
    return told


def _known(name: str) -> Representation[Any]:
    if name not in REPRESENTATIONS:
        remedy = did_you_mean(name, REPRESENTATIONS)
        expected = f"a representation of {', '.join(REPRESENTATIONS)}"
        raise InputError(expected, got=repr(name), where="representation", remedy=remedy)
    return REPRESENTATIONS[name]


def _sequences(names: Iterable[str]) -> tuple[Kind, ...]:
    out = []
    for name in names:
        try:
            kind = Kind(name) if name in Kind.__members__ else Kind.of(name)
        except ValueError as error:
            remedy = did_you_mean(name, Kind.__members__)
            expected = f"a sequence of {', '.join(Kind.__members__)}"
            raise InputError(expected, got=repr(name), where="sequences", remedy=remedy) from error
        if kind not in out:
            out.append(kind)
    return tuple(out)


def _regions(names: Iterable[str]) -> tuple[str, ...]:
    from tumorboard.lab.regions import parse_region

    found = tuple(dict.fromkeys(names))
    for name in found:
        parse_region(name)
    return found
