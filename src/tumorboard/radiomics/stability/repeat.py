"""Features of many subjects, several times each, and which of them can be relied on.

Why it exists: extraction, perturbation and intraclass correlation put together, as a table by feature.

Source: Zwanenburg A et al., Sci Rep 2019;9:614, who used ICC(1,1); 0.75 as the border of good reliability: Koo TK, Li
MY. J Chiropr Med 2016;15:155-163, who judge by the lower end of the interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tumorboard.errors import InputError
from tumorboard.radiomics.extract import extract
from tumorboard.radiomics.settings import RadiomicsSettings
from tumorboard.radiomics.stability.icc import Icc, Kind, icc
from tumorboard.radiomics.stability.perturb import Ranges, perturbed
from tumorboard.volume import Volume

Values = Mapping[str, float]


def repeated(
    image: Volume,
    mask: Volume,
    settings: RadiomicsSettings,
    rng: np.random.Generator,
    ranges: Ranges | None = None,
    repeats: int = 10,
) -> list[Values]:
    """Extract features of perturbed copies of a region; parameters are those of :func:`~.perturb.perturbed`.

    Returns
    -------
    list of mapping of str to float
        One for each copy.

    Examples
    --------
    >>> rng = np.random.default_rng(0); image = Volume.of(rng.normal(100, 10, (16, 16, 16)), np.eye(4))
    >>> ball = image.with_data((np.indices((16, 16, 16)) - 7.5).__pow__(2).sum(axis=0) < 20)
    >>> found = repeated(image, ball, RadiomicsSettings(families=("statistics",)), rng, repeats=2)
    >>> [round(one["original.stat_mean"] / 10) for one in found]
    [10, 10]
    """
    made = perturbed(image, mask, settings, rng, ranges, repeats)
    return [extract(one.image, one.mask, one.settings).values for one in made]


def icc_table(subjects: Sequence[Sequence[Values]], kind: Kind = "ICC(1,1)") -> dict[str, Icc]:
    """Compute the intraclass correlation of every feature.

    Parameters
    ----------
    subjects : sequence of sequence of mapping of str to float
        Features by name, of each repeat of each subject; as many repeats of all.
    kind : {'ICC(1,1)', 'ICC(2,1)', 'ICC(3,1)'}
        See :func:`~.icc.icc`.

    Returns
    -------
    dict of str to Icc
        By feature, in the order of the first repeat.

    Raises
    ------
    InputError
        There is no subject, or numbers of repeats or names of features differ.

    Examples
    --------
    >>> table = icc_table([[{"a": 1.0}, {"a": 1.1}], [{"a": 5.0}, {"a": 4.9}], [{"a": 9.0}, {"a": 9.2}]])
    >>> round(table["a"].value, 3)
    0.999
    """
    if not subjects or not subjects[0]:
        raise InputError("subjects with repeats", got="none", where="icc")
    names, repeats = list(subjects[0][0]), len(subjects[0])
    if any(len(s) != repeats or any(set(r) != set(names) for r in s) for s in subjects):
        raise InputError("as many repeats of all subjects, and the same features", got="different ones", where="icc")
    cube = np.array([[[repeat[n] for n in names] for repeat in subject] for subject in subjects])
    return {name: icc(cube[:, :, f], kind) for f, name in enumerate(names)}


def stable(table: Mapping[str, Icc], least: float = 0.75, by: str = "value") -> tuple[str, ...]:
    """Return the features whose intraclass correlation is good.

    Parameters
    ----------
    table : mapping of str to Icc
        From :func:`icc_table`.
    least : float
        That it must reach.
    by : {'value', 'low'}
        The estimate, or the lower end of its interval, which few subjects reach.

    Returns
    -------
    tuple of str
        In the order of the table; a feature without a correlation is not among them.

    Examples
    --------
    >>> table = {"a": Icc("ICC(1,1)", 0.9, 0.7, 0.95, 9, 3), "b": Icc("ICC(1,1)", float("nan"), 0, 0, 0, 3)}
    >>> stable(table), stable(table, by="low")
    (('a',), ())
    """
    if by not in ("value", "low"):
        raise InputError("value or low", got=repr(by), where="icc")
    return tuple(name for name, one in table.items() if (one.value if by == "value" else one.low) >= least)
