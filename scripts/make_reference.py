"""Write docs/reference from the code, so that no page can tell another story than the program.

Run by ``make docs``; a test compares the pages with what this script would write. Each page has its module in
``reference_pages``.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # a test runs this file from elsewhere

from reference_pages.commands import cli
from reference_pages.conformance import conformance
from reference_pages.criteria import criteria
from reference_pages.features import features, pyradiomics
from reference_pages.measurements import measurements
from reference_pages.nouns import checklists, schemes, stages
from reference_pages.recipes import recipes

from tumorboard.measurement import schema
from tumorboard.store import write_atomic, write_json

REFERENCE = Path(__file__).resolve().parents[1] / "docs" / "reference"


def main() -> None:
    """Write every page and the schema."""
    for name, text in pages().items():
        write_atomic(REFERENCE / name, text)
    write_json(REFERENCE / "measurements.schema.json", schema())


def pages() -> dict[str, str]:
    """Return each page's text by file name."""
    made = {"cli.md": cli(), "measurements.md": measurements(), "schemes.md": schemes(), "stages.md": stages()}
    made |= {"features.md": features(), "pyradiomics.md": pyradiomics()}
    made |= {"criteria.md": criteria(), "checklists.md": checklists(), "recipes.md": recipes()}
    made["conformance.md"] = conformance()
    return {name: "\n".join(lines) + "\n" for name, lines in made.items()}


if __name__ == "__main__":
    main()
