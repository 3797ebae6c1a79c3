"""Digital patients: made from a seed, for demonstrations, tests and studies of methods.

They are not patients. Nothing measured on them is evidence about people; how unlike patients they are is printed by
``benchmarks/realism.py``. The way through the room: :mod:`.person` (who), :mod:`.body` (head), :mod:`.disease` (what
grows, and what is done about it), :mod:`.scanner` (tissue, signal, site), :mod:`.subject` (one patient, study by
study), :mod:`.tables` and :mod:`.files` (what is written), :mod:`.cohort` (many). The patient of the demonstration is
:mod:`.patient`; whole heads as scanners give them are :mod:`.native`.
"""
