"""The worklist as a service: unified procedure steps that are created, found, claimed, worked on and finished.

Why it exists: which study is read next, by whom, and whether it was, must be said in words that other systems speak.
Source: PS3.18 chapter 11 (worklist service, UPS-RS); PS3.4 annex CC (unified procedure step).
"""

from tumorboard.serve.ups.refused import Refused
from tumorboard.serve.ups.service import UpsService
from tumorboard.serve.ups.store import MemoryWorklist, Worklist
from tumorboard.serve.ups.workitem import Workitem, reading_task

__all__ = ["MemoryWorklist", "Refused", "UpsService", "Workitem", "Worklist", "reading_task"]
