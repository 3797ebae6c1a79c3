"""Reporting and quality checklists, answered from what really ran."""

from tumorboard.appraise.answer import Answer, Appraisal, Told, appraise
from tumorboard.appraise.checklist import CHECKLISTS, Checklist, parse_checklist, read_checklist
from tumorboard.appraise.facts import RunFacts
from tumorboard.appraise.fields import (
    DataFacts,
    FeatureFacts,
    ImageFacts,
    MetricFact,
    ModelFacts,
    OpenFacts,
    PerformanceFacts,
    QuestionFacts,
    ValidationFacts,
)

__all__ = [
    "CHECKLISTS",
    "Answer",
    "Appraisal",
    "Checklist",
    "DataFacts",
    "FeatureFacts",
    "ImageFacts",
    "MetricFact",
    "ModelFacts",
    "OpenFacts",
    "PerformanceFacts",
    "QuestionFacts",
    "RunFacts",
    "Told",
    "ValidationFacts",
    "appraise",
    "parse_checklist",
    "read_checklist",
]
