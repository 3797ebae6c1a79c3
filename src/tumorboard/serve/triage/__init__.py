"""Triage: how urgent a study is by what was measured, and what an order of reading does to waiting.

Why it exists: who waits longest is not who can wait longest. A table of findings with points raises a study in the
worklist and says by which number. It never lowers what was ordered, and finding nothing is never called normal.
"""

from tumorboard.serve.data.priority import Priority
from tumorboard.serve.triage.table import Table, read_table
from tumorboard.serve.triage.urgency import Urgency, assess, not_processed, urgency_of

__all__ = ["Priority", "Table", "Urgency", "assess", "not_processed", "read_table", "urgency_of"]
