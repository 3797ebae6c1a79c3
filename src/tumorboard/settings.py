"""What a run was told to do, frozen, and written beside every output.

Why it exists: one object that the cache keys, the provenance and the report all read, so that none of
them can tell another story. There is no global and no environment variable.
"""

from __future__ import annotations

from pathlib import PurePath

from pydantic import BaseModel, ConfigDict, Field, field_serializer

from tumorboard.defaults import SEGMENTER


class RunSettings(BaseModel):
    """Settings of a run; each is printed in the report.

    Examples
    --------
    >>> RunSettings().segmenter
    'joined:glioma+fuzzy'
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    segmenter: str = Field(default=SEGMENTER, description="method that outlines the tumour, unless own masks are given")
    detector: str = Field(default="", description="method that finds lesions one by one; empty: none is asked")
    digital: bool = Field(default=False, description="the patient is simulated; every output says so")

    @field_serializer("segmenter", "detector")
    def _without_places(self, text: str) -> str:
        """Where a user's models lie is nobody's business: only the names of folders are written."""
        how, colon, rest = text.rpartition(":")
        return how + colon + "+".join(PurePath(part).name for part in rest.split("+"))
