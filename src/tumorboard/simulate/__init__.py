"""Digital patients: made from a seed, for demonstrations and tests.

They are not patients. Nothing measured on them is evidence about people, and no claim of realism is
made beyond "looks like a study to a program".
"""
