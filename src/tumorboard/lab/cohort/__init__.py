"""Cohorts: whose images, masks, tables and outcomes a recipe runs on."""

from tumorboard.lab.cohort.cohort import Cohort
from tumorboard.lab.cohort.load import Loaded, NotThere, Series
from tumorboard.lab.cohort.places import Visit
from tumorboard.lab.cohort.read import read_cohort
from tumorboard.lab.cohort.sheets import Sheet, parse_sheet, read_sheet

__all__ = ["Cohort", "Loaded", "NotThere", "Series", "Sheet", "Visit", "parse_sheet", "read_cohort", "read_sheet"]
