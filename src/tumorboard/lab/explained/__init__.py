"""Explanations beside every model that the laboratory trains: made, judged, written, printed."""

from tumorboard.lab.explained.explained import Explained, explain_run
from tumorboard.lab.explained.section import explanation_facts, section
from tumorboard.lab.explained.write import write_explained

__all__ = ["Explained", "explain_run", "explanation_facts", "section", "write_explained"]
