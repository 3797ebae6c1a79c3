"""A bundle's card: what people must know of a network before they believe it, as Markdown.

Source of the headings: Mitchell M et al., Model cards for model reporting, FAT* 2019:220-229.
"""

from __future__ import annotations

from tumorboard.networks.bundle import Metadata


def card_text(meta: Metadata) -> str:
    """Return the card of a bundle.

    Parameters
    ----------
    meta : Metadata
        Of the bundle.

    Returns
    -------
    str
        Markdown.
    """
    passes = "\n".join(
        f"- {p.name}: {p.architecture.name}, {p.spacing_mm:g} mm voxels, windows of "
        f"{' × '.join(map(str, p.window))} voxels, channels by level {', '.join(map(str, p.architecture.filters))}"
        for p in meta.passes
    )
    measured = "\n".join(f"- {name}: {value:g}" for name, value in sorted(meta.measured.items()))
    lines = [
        f"# {meta.title}",
        f"Bundle `{meta.id}`, version {meta.version}. Research software.",
        "## Use",
        meta.intended_use,
        f"Sequences: {', '.join(s.value for s in meta.sequences)}; at least one of "
        f"{', '.join(s.value for s in meta.needs_any)}. Labels: "
        + ", ".join(f"{value} {name}" for name, value in sorted(meta.labels.items(), key=lambda item: item[1]))
        + ".",
        "## Networks",
        passes,
        "## Learned from",
        meta.training,
        "## Measured",
        measured or "Nothing yet.",
        "## Limits",
        meta.limits,
        "## Licence",
        meta.licence,
    ]
    return "\n\n".join(lines) + "\n"
