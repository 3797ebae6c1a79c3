"""The methods text: what ran, in sentences, with numbered references.

Why it exists: a methods section written from memory drifts from what was done. This one is made of
the sentences that the stages themselves handed over. A work cited twice has one number.
"""

from __future__ import annotations

from collections.abc import Iterable

from tumorboard.report.model import MethodParagraph, Report

_ESCAPED = str.maketrans({"<": "&lt;", ">": "&gt;"})


def numbered(methods: Iterable[MethodParagraph]) -> tuple[list[tuple[str, int | None]], list[str]]:
    """Return (text, reference number or None) of each paragraph, and the references in order of first use.

    Examples
    --------
    >>> told = (("A.", "X"), ("B.", ""), ("C.", "X"))
    >>> numbered(MethodParagraph(text=text, citation=citation) for text, citation in told)
    ([('A.', 1), ('B.', None), ('C.', 1)], ['X'])
    """
    numbers: dict[str, int] = {}
    texts: list[tuple[str, int | None]] = []
    for method in methods:
        if method.citation:
            numbers.setdefault(method.citation, len(numbers) + 1)
        texts.append((method.text, numbers.get(method.citation)))
    return texts, list(numbers)


def methods_md(report: Report) -> str:
    """Return ``methods.md``: paragraphs with reference numbers, then the numbered references."""
    texts, references = numbered(report.methods)
    lines = ["# Methods", ""]
    for text, number in texts:
        lines += [text + (f" [{number}]" if number else ""), ""]
    lines += [f"Made with {report.created_by}. {report.banners[0]}.", ""]
    if references:
        lines += ["## References", ""]
        lines += [f"{number}. {citation}" for number, citation in enumerate(references, start=1)]
        lines.append("")
    return "\n".join(line.translate(_ESCAPED) for line in lines)
