"""Studies of the literature as facts, from a table that a reader of papers fills in: one line a study.

Why it exists: a review counts by hand what papers did. The same questions that are asked of our runs are asked of
papers here, and an empty cell is *not told*, never no.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import ValidationError

from tumorboard.appraise.facts import RunFacts
from tumorboard.appraise.fields import SECTIONS, MetricFact
from tumorboard.appraise.words import paths
from tumorboard.csv_text import Kept, read_typed
from tumorboard.errors import InputError

STUDY = "study"
COLUMNS = (STUDY, *(p for p in paths() if not p.startswith("derived.")))
_KEPT = Kept(
    where="studies",
    title="table of studies",
    error=InputError,
    columns=COLUMNS,
    required=(STUDY,),
    max_bytes=20_000_000,
    if_empty="write one line a study",
)
_YES, _NO = ("yes", "true", "1"), ("no", "false", "0")
_METRIC = re.compile(
    r"(?P<name>[^;=]+?)\s*=\s*(?P<value>[-\d.]+)\s*(\((?P<low>[-\d.]+)\s+to\s+(?P<high>[-\d.]+)\))?\s*(?P<on>external)?"
)


def read_studies(path: Path) -> dict[str, RunFacts]:
    r"""Read a table of studies.

    Parameters
    ----------
    path : Path
        CSV with the column ``study`` and any facts as columns (``data.patients``). Lists are separated by semicolons;
        measures are written ``AUC = 0.85 (0.80 to 0.90) external``, interval and ``external`` where they are so.

    Returns
    -------
    dict of str to RunFacts
        By the name of the study.

    Raises
    ------
    InputError
        No table, an unknown column (the nearest is proposed), a cell of another kind, a study twice, or facts that
        contradict one another; the row is named.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as d:
    ...     _ = (Path(d) / "t.csv").write_text("study,data.patients,validation.external\nLao 2017,112,no\n")
    ...     studies = read_studies(Path(d) / "t.csv")
    >>> studies["Lao 2017"].data.patients, studies["Lao 2017"].validation.external
    (112, False)
    """
    out: dict[str, RunFacts] = {}
    for line, cells in read_typed(path, _KEPT).rows:
        where = f"studies row {line}"
        name = cells.get(STUDY, "")
        if not name or name in out:
            raise InputError("each study once, with its name", got="none" if not name else "one twice", where=where)
        out[name] = _facts({k: v for k, v in cells.items() if k != STUDY and v}, where)
    if not out:
        raise InputError("one study at least", got="none", where="studies")
    return out


def _facts(cells: dict[str, str], where: str) -> RunFacts:
    sections: dict[str, dict[str, Any]] = {}
    for path, text in cells.items():
        section, _, name = path.partition(".")
        sections.setdefault(section, {})[name] = _value(path, text, where, cells)
    try:
        return RunFacts.model_validate(sections)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"][:2])
        why = str(first["msg"]).removeprefix("Value error, ")
        raise InputError(f"a value that fits {place or 'the others'}", got=why, where=where) from error


def _value(path: str, text: str, where: str, cells: dict[str, str]) -> object:
    section, _, name = path.partition(".")
    kind = [k for k in get_args(SECTIONS[section].model_fields[name].annotation) if k is not type(None)]
    first = kind[0] if kind else str
    if path == "performance.metrics":
        return _metrics(text, where, cells)
    if first is bool:
        word = text.lower()
        if word not in (*_YES, *_NO):
            raise InputError(f"yes or no in {path}", got="another word", where=where)
        return word in _YES
    if first in (int, float):
        try:
            return first(text)
        except ValueError as error:
            raise InputError(f"a number in {path}", got="a word", where=where) from error
    several = getattr(first, "__origin__", None) is tuple
    return tuple(w.strip() for w in text.split(";") if w.strip()) if several else text


def _metrics(text: str, where: str, cells: dict[str, str]) -> tuple[MetricFact, ...]:
    n = cells.get("data.patients", "")
    out = []
    for part in (p.strip() for p in text.split(";") if p.strip()):
        found = _METRIC.fullmatch(part)
        if found is None:
            expected = "measures like AUC = 0.85 (0.80 to 0.90) external"
            raise InputError(expected, got="another form", where=where)
        on: Literal["internal", "external"] = "external" if found["on"] else "internal"
        try:
            low, high = (None if found[k] is None else float(found[k]) for k in ("low", "high"))
            value, count = float(found["value"]), int(n) if n.isdigit() else 0
            out.append(MetricFact(name=found["name"], value=value, low=low, high=high, n=count, on=on))
        except ValueError as error:
            raise InputError("a value that lies within its interval", got="another", where=where) from error
    return tuple(out)
