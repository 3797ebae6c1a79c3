"""The report room: one typed report, and the renderers that turn it into HTML, PDF, Markdown and CSV.

Why it exists: what a tumour board reads must be one thing. :mod:`~tumorboard.report.model` holds it,
:mod:`~tumorboard.report.build` makes it from measured studies, and every renderer shows the same
report and adds nothing. It refuses to name a response category, to print a missing number as 0, and
to fetch anything from outside the page. Renderers are imported one by one, since pictures and PDF are
heavy.
"""
