"""What each column of the tables of response is."""

from __future__ import annotations

from tumorboard.respond import Errors

VISIT_COLUMNS = {
    "patient_id": "pseudonym",
    "date": "of the images",
    "kind": "what the visit is in the course; each patient needs one that is no `followup`",
    "lesion_id": "its name, the same at all visits; empty at a visit without lesions",
    "compartment": "enhancing tumour, or tumour that is seen on T2/FLAIR alone",
    "long_mm": "longest diameter",
    "perp_mm": "longest diameter at right angles to it",
    "volume_ml": "volume",
    "new_lesion": "1 at the first visit of a lesion that appeared after the baseline",
    "t2flair": "T2/FLAIR abnormality against the baseline or the best state since",
    "dexamethasone_mg": "dose a day, or what equals it; 0 is none",
    "clinical": "the patient's state against the baseline or the best state since",
    "role": "what a reader made of the lesion; empty leaves it to the criterion",
    "nontarget_status": "what a reader says of a lesion without measuring it",
    "measurable": "what a reader says; `auto` or empty leaves it to the size rule",
    "slice_mm": "distance of the slices it was measured on",
    "evaluable": "0 when the images cannot be read at all",
    "rt_end": "last day of the last radiotherapy",
    "in_rt_field": "whether a lesion lies within the high-dose field",
    "drug": "name or class; known are anti-angiogenic drugs and immunotherapy",
    "drug_start": "first day of that drug",
    "steroid_reason": "why the dose is given",
    "eye": "eye examination, for lymphoma",
    "csf": "cytology of cerebrospinal fluid, for lymphoma",
    "diameter_sd_mm": f"error of its diameters (standard deviation); empty takes {Errors().diameter_mm:g} mm",
    "volume_sd_ml": f"error of its volume; empty takes {100 * Errors().volume_part:g} %",
}
"""What each column of ``visits.csv`` is."""

MADE_COLUMNS = {
    "patient_id": "as in the visits",
    "date": "of the visit",
    "criterion": "name as above",
    "raw_category": "this visit with all its facts, before windows and confirmation",
    "category": "after them: pending progression repeats the last settled category; facts missing: NE",
    "confirmed": "`yes`, `no`, `pending` or `not_required`, of a response or a progression",
    "imaging_only": "from the images alone, without steroids and clinical state",
    "probability": "of `raw_category` under the errors of measurement; empty where no sum decides",
    "sum": "what was compared, in the unit that the reason names; empty where a target has no size",
    "reference": "date of the visit that it was compared with",
    "rule": "which rule made `raw_category`, see below",
    "reason": "the verdict as a sentence with its numbers",
    "start": "from when time counts: the first `baseline`, else `post_op`, else `post_rt`",
    "progression_date": "first visit with PD in `category`; empty when there was none",
    "days": "from the start to it, else to the last visit that could be judged",
    "event": "1 progressed, 0 not yet (censored)",
}
"""What each column of ``verdicts.csv`` and ``ttp.csv`` is."""
