"""Say at set-up whether the PDF report can be made, and how to get what is missing. Never fails."""

from __future__ import annotations

import sys
import warnings

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import weasyprint  # noqa: F401
except OSError:
    sys.stdout.write(
        "PDF reports need Pango, which is missing: apt-get install libpango-1.0-0 libpangoft2-1.0-0\n"
        "(the HTML report is made without it)\n"
    )
else:
    sys.stdout.write("PDF reports: ready\n")
