"""The class of a glioblastoma's resection by what was left of it (RANO resect).

Why it exists: what remains decides, not what was removed. The volumes come from masks of the postoperative study; when
one could not be measured (an early study too late, blood that looks like enhancement) it is missing here, not 0.

Source: Karschnia P et al., Neuro Oncol 2023;25:940-954; see ``rano_resect.toml``.
"""

from __future__ import annotations

from tumorboard.respond.indices.base import IndexResult
from tumorboard.respond.indices.rpa import classify
from tumorboard.respond.indices.tables import shipped


def resect_class(
    residual_ce_ml: float | None,
    residual_nce_ml: float | None,
    *,
    surgery: str | None = "resection",
    months: bool = False,
    digital: bool = False,
) -> IndexResult:
    """Find the class 1 (supramaximal) to 4 (biopsy) of a newly diagnosed glioblastoma's surgery.

    Parameters
    ----------
    residual_ce_ml, residual_nce_ml : float or None
        Enhancing and non-enhancing tumour that is left, mL; ``None`` where it could not be measured.
    surgery : str or None
        ``resection`` or ``biopsy``; ``None`` where it is not known.
    months : bool
        Tell the median survival of the class too.
    digital : bool
        The patient is simulated; months are then refused.

    Returns
    -------
    IndexResult
        With the classes that are possible where a volume is missing.

    Raises
    ------
    InputError
        A volume below 0 mL or above 2000 mL, another word for the surgery, or months of a digital patient.

    Examples
    --------
    >>> resect_class(0.0, 3.0).group, resect_class(2.0, None).group, resect_class(0.0, None).possible_groups
    ('1', '3', ('1', '2'))
    """
    facts = {"surgery": surgery, "residual_ce_ml": residual_ce_ml, "residual_nce_ml": residual_nce_ml}
    book = shipped()
    return classify(book.classes["rano-resect"], book.factors, facts, months=months, digital=digital)
