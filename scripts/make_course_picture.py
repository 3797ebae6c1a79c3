"""Write docs/images/course.png: what ``respond`` draws of the table that stands on docs/how-to/respond.md.

Run by hand when that table or the looks of the picture have changed. The patient is invented.
"""

from __future__ import annotations

import io
import re
import sys
import tempfile
from pathlib import Path

from PIL import Image

from tumorboard.report.course import course_picture
from tumorboard.respond import judge_all
from tumorboard.respond.table.read import read_visits

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "how-to" / "respond.md"
PICTURE = ROOT / "docs" / "images" / "course.png"


def main() -> None:
    """Judge, draw, reduce to 128 colours, write."""
    table = re.findall(r"^```csv\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)[0]
    with tempfile.TemporaryDirectory() as place:
        visits = Path(place) / "visits.csv"
        visits.write_text(table, encoding="utf-8")
        (course,) = read_visits(visits).courses
    picture = course_picture(course, judge_all([course]).verdicts, digital=True)
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    image.quantize(128).save(PICTURE, optimize=True)
    sys.stdout.write(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size / 1000:.0f} kB\n")


if __name__ == "__main__":
    main()
