"""What an operation removed: residual tumour, extent of resection and its category, cavity, brain and midline.

:func:`assess_surgery` judges one operation from the studies before and after it, :func:`surgery_of` all operations of
a case folder.
"""

from __future__ import annotations

from tumorboard.respond.surgery.assess import assess_surgery
from tumorboard.respond.surgery.case import surgery_of
from tumorboard.respond.surgery.model import Operated, Surgery

__all__ = ["Operated", "Surgery", "assess_surgery", "surgery_of"]
