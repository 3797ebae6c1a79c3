"""Response over time: visits of a patient judged by the criteria of the field."""

from tumorboard.respond.criterion import CRITERIA, Criterion, parse_settings, read_criterion
from tumorboard.respond.engine.chance import Errors
from tumorboard.respond.engine.raw import CriterionNotRun
from tumorboard.respond.judging import Judged, Judging, NotRun, judge, judge_all
from tumorboard.respond.visits import Course, Seen, Visit

__all__ = [
    "CRITERIA",
    "Course",
    "Criterion",
    "CriterionNotRun",
    "Errors",
    "Judged",
    "Judging",
    "NotRun",
    "Seen",
    "Visit",
    "judge",
    "judge_all",
    "parse_settings",
    "read_criterion",
]
