"""Verdicts of response criteria as groups of a structured report.

Why it exists: "progression, by which criterion, compared with which study" is what a registry asks for, and a sentence
in a PDF cannot be searched. Each criterion is one measurement group (TID 1501) with its category, what the images alone
say, whether it was seen again, the sum, and the verdict as a sentence. Where steroid or clinical facts are missing, the
category is *not evaluable*, and nothing but the images' category stands beside it.

Source: PS3.16 TID 1501, CID 6147 and the concepts 112021, 112048 and 112051.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tumorboard.io import codes
from tumorboard.io.dicom.maker import LONG_STRING, Maker, plain
from tumorboard.io.dicom.templates import concept
from tumorboard.io.dicom.uids import uid_from
from tumorboard.verdict import Category, Verdict

CAUTION = "Response categories come from outlines made by software and are for a reader to confirm"


@dataclass(frozen=True)
class Rated:
    """A verdict with what is needed to understand it elsewhere.

    Parameters
    ----------
    verdict : Verdict
        Of the study that the report is about; its pseudonym is not written.
    title, version, source : str
        The criterion, and where it was published.
    summed : str
        What the sum is of, for example ``sum of products``.
    """

    verdict: Verdict
    title: str
    version: str
    source: str
    summed: str


def response_group(rated: Rated, maker: Maker, study_uid: str) -> Any:
    """Return one criterion's group.

    Parameters
    ----------
    rated : Rated
        What the criterion says of the study.
    maker : Maker
        Who makes the report.
    study_uid : str
        Study Instance UID of the source; with the criterion it tells what is tracked.

    Returns
    -------
    highdicom.sr.MeasurementsAndQualitativeEvaluations
    """
    from highdicom import sr

    verdict = rated.verdict
    name = f"response {verdict.criterion}"
    group = sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(uid_from(study_uid, maker.software, name), name),
        finding_sites=[sr.FindingSite(concept(codes.BRAIN))],
        algorithm_id=sr.AlgorithmIdentification(
            plain(maker.algorithm, LONG_STRING), plain(maker.algorithm_version, LONG_STRING)
        ),
        qualitative_evaluations=[
            sr.QualitativeEvaluation(concept(named), concept(value)) for named, value in _evaluated(rated)
        ],
    )
    group[0].ContentSequence.extend(_told(rated))
    return group


def _evaluated(rated: Rated) -> Iterator[tuple[codes.Code, codes.Code]]:
    verdict = rated.verdict
    yield codes.RESPONSE_METHOD, codes.criterion_code(verdict.criterion, rated.title)
    yield codes.RESPONSE, codes.CATEGORIES[verdict.category.value]
    yield codes.IMAGING_ONLY, codes.CATEGORIES[verdict.imaging_only.value]
    if verdict.category is not Category.NE:
        yield codes.UNSETTLED, codes.CATEGORIES[verdict.raw.value]
        yield codes.CONFIRMATION, codes.CONFIRMED[verdict.confirmed.value]


def _told(rated: Rated) -> Iterator[Any]:
    """Yield sum, reference, probability and words; of what is not evaluable no rule and no probability."""
    from highdicom.sr import DateContentItem, Measurement, NumContentItem

    verdict, known = rated.verdict, rated.verdict.category is not Category.NE
    if verdict.total is not None:
        unit = concept(codes.unit_code(verdict.unit))
        measured = Measurement(name=concept(codes.RESPONSE_SUM), value=verdict.total, unit=unit)[0]
        measured.ContentSequence = _one(_text(codes.METHOD, rated.summed, "HAS CONCEPT MOD"))
        yield measured
    if verdict.reference is not None:
        yield DateContentItem(concept(codes.REFERENCE_DATE), verdict.reference, "CONTAINS")
    if known and verdict.probability is not None:
        unit = concept(codes.unit_code("1"))
        yield NumContentItem(concept(codes.CHANCE), verdict.probability, unit, relationship_type="CONTAINS")
    yield _text(codes.CRITERION, f"{rated.title} {rated.version}: {rated.source}", "CONTAINS")
    if known:
        yield _text(codes.RULE, verdict.rule, "CONTAINS")
    words = verdict.reason if known else f"Not evaluable. What is known: {verdict.reason}"
    yield _text(codes.IN_WORDS, words, "CONTAINS")


def _one(item: Any) -> Any:
    from highdicom.sr import ContentSequence

    return ContentSequence([item])


def _text(name: codes.Code, words: str, relationship: str) -> Any:
    from highdicom.sr import TextContentItem

    return TextContentItem(concept(name), plain(words), relationship)
