"""Write docs/images/report.png: the upper part of the first page of the demo's report, a digital patient.

Run by hand after ``make demo`` when the report's looks have changed. Needs ``pdftoppm`` (Debian: poppler-utils),
which nothing else here needs.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
REPORT = ROOT / "demo-output" / "results" / "sub-digital" / "report.pdf"
PICTURE = ROOT / "docs" / "images" / "report.png"
DPI = 130
CROP = (0.04, 0.045, 0.96, 0.905)
"""Left, top, right and bottom as parts of the page: without margins and footer."""


def main() -> None:
    """Render, crop, reduce to 256 colours, write."""
    renderer = shutil.which("pdftoppm")
    if renderer is None or not REPORT.is_file():
        sys.exit("needs pdftoppm (apt-get install poppler-utils) and the report of `make demo`")
    with tempfile.TemporaryDirectory() as place:
        page = Path(place) / "page"
        command = [renderer, "-r", str(DPI), "-f", "1", "-l", "1", "-singlefile", "-png", str(REPORT), str(page)]
        subprocess.run(command, check=True)  # noqa: S603 - fixed words and our own paths
        image = Image.open(page.with_suffix(".png")).convert("RGB")
    width, height = image.size
    left, top, right, bottom = CROP
    image = image.crop((round(left * width), round(top * height), round(right * width), round(bottom * height)))
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    image.quantize(256).save(PICTURE, optimize=True)
    sys.stdout.write(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size / 1000:.0f} kB\n")


if __name__ == "__main__":
    main()
