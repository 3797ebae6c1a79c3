"""What the eye and the cerebrospinal fluid add in primary lymphoma of the central nervous system.

Why it exists: the IPCG table joins four organs; this page is that table.

Source: Abrey LE et al., J Clin Oncol 2005;23:5034 (table of response criteria).
"""

from __future__ import annotations

from tumorboard.respond.engine.findings import Finding
from tumorboard.respond.visits import Csf, Eye, Visit
from tumorboard.verdict import Category

_QUIET_EYE = (None, Eye.NORMAL, Eye.MINOR)
_HEALING_EYE = (*_QUIET_EYE, Eye.BETTER)
_QUIET_CSF = (None, Csf.NEGATIVE)
_HEALING_CSF = (*_QUIET_CSF, Csf.SUSPICIOUS, Csf.PERSISTENT)


def lymphoma_triggers(visit: Visit) -> list[str]:
    """Return the rules of progression that eye and fluid meet."""
    out = ["pd.eye"] if visit.eye is Eye.RECURRENT else []
    return [*out, "pd.csf"] if visit.csf is Csf.RECURRENT else out


def lymphoma_level(level: Category, rule: str, finding: Finding, visit: Visit) -> tuple[Category, str]:
    """Return the response that images, eye and fluid support together; steroids are judged elsewhere.

    What is unknown (``None``) says nothing against a response here; it is listed as missing.
    """
    quiet = visit.eye in _QUIET_EYE and visit.csf in _QUIET_CSF
    if level is Category.CR:
        if quiet:
            return (Category.CRU, "cru.eye") if visit.eye is Eye.MINOR else (Category.CR, "cr.gone")
        healing = visit.eye in _HEALING_EYE and visit.csf in _HEALING_CSF
        return (Category.PR, "pr.eye_csf") if healing else (Category.SD, "sd.eye_csf")
    if quiet and finding.minimal:
        return Category.CRU, "cru.minimal"
    if level is Category.PR and not quiet:
        return Category.SD, "sd.eye_csf"
    return level, rule
