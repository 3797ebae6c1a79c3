"""What pages share: the line that says who wrote them, tables and sections."""

from __future__ import annotations

from collections.abc import Iterable

MADE = "*Written by `make docs` from the code; edits here are lost.*"
"""Stands on every page."""


def table(header: Iterable[str], rows: Iterable[Iterable[object]]) -> list[str]:
    """Return a Markdown table; pipes and line breaks inside a cell do not break it."""
    head = list(header)
    body = [[" ".join(str(cell).split()).replace("|", "\\|") for cell in row] for row in rows]
    return [f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *body]] + [""]


def section(title: str, text: str, header: Iterable[str], rows: Iterable[Iterable[object]]) -> list[str]:
    """Return a heading, a sentence where there is one, and a table."""
    return [f"## {title}", "", *([text, ""] if text else []), *table(header, rows)]


def numpy_parameters(text: str) -> dict[str, str]:
    """Return the description of each entry of a NumPy docstring's parameters; several names may share one."""
    found: dict[str, str] = {}
    names: list[str] = []
    for line in text.splitlines():
        left, colon, _ = line.strip().partition(" : ")
        some = left.split(", ")
        if (colon or names or len(some) > 1) and all(name.isidentifier() for name in some) and (colon or len(some) > 1):
            names = some
            found |= dict.fromkeys(names, "")
        elif not line.strip():
            names = []
        else:
            found |= {name: f"{found[name]} {line.strip()}".strip() for name in names}
    return found
