"""Pages of radiomics features, and of what is computed as PyRadiomics computes it."""

from __future__ import annotations

import re

from pydantic import BaseModel

from reference_pages.words import MADE, table
from tumorboard.radiomics.families import FAMILIES
from tumorboard.radiomics.filters import FILTERS
from tumorboard.radiomics.presets import PRESETS
from tumorboard.radiomics.pyradiomics.names import CLASSES, DEVIATIONS
from tumorboard.radiomics.pyradiomics.parameters import IMAGE_TYPES, PER_IMAGE, Setting


def features() -> list[str]:
    """Return the page of every radiomics feature, filter and setting by name."""
    out = ["# Radiomics features", "", MADE, "", "Codes are those of IBSI; `i` stands for the unit of intensity.", ""]
    for family in FAMILIES.values():
        ways = ", ".join(f"`{way}`" for way in family.ways if way)
        out += [
            f"## {family.title}",
            "",
            f"Family `{family.name}`, code {family.code}, columns `{family.prefix}_…`.",
            "",
        ]
        out += [f"Aggregation: {ways}.", ""] if ways else []
        rows = ((f"`{f.name}`", f.code, f.unit, f.says) for f in family.features)
        out += table(("feature", "code", "unit", "what it is"), rows)
    out += ["## Filters", ""]
    kinds = ((f"`{k}`", made.code, _options_of(made), _first(made.__doc__)) for k, made in FILTERS.items())
    out += table(("kind", "code", "settings", "what it is"), kinds)
    out += ["## Settings by name", ""]
    return [*out, *table(("name", "source"), ((f"`{s.name}`", s.source or "the standard") for s in PRESETS.values()))]


def pyradiomics() -> list[str]:
    """Return the page of what is computed as PyRadiomics computes it."""
    out = ["# PyRadiomics", "", MADE, ""]
    out += ["What `extract_pyradiomics` computes under PyRadiomics' names.", "", "## Parameters", ""]
    settings = ", ".join(f"`{field.alias or name}`" for name, field in Setting.model_fields.items())
    out += [f"`setting`: {settings}.", "", f"`imageType`: {', '.join(f'`{name}`' for name in IMAGE_TYPES)}, each with"]
    out += [f"its own {', '.join(f'`{name}`' for name in PER_IMAGE)} where it differs. `featureClass`: as below.", ""]
    out += ["All others, and values that are not supported, are refused by name.", "", "## Names", ""]
    pairs = ((f"`{kind}`", f"`{n}`", tag and f"`{tag}`") for kind, names in CLASSES.items() for n, tag in names.items())
    out += table(("class", "feature", "our column of the standard's feature"), pairs)
    out += ["## Where PyRadiomics differs from the standard", ""]
    return [
        *out,
        *table(("feature or step", "what differs", "effect"), ((d.feature, d.differs, d.effect) for d in DEVIATIONS)),
    ]


def _options_of(model: type[BaseModel]) -> str:
    return ", ".join(f"`{name}`" for name in model.model_fields)


def _first(text: str | None) -> str:
    return re.sub(r":\w+:`~?([^`]*)`", r"`\1`", (text or "").strip().splitlines()[0])
