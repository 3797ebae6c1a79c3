"""What a run was told to do, frozen, and written beside every output.

Why it exists: one object that the cache keys, the provenance and the report all read, so that none of
them can tell another story. There is no global and no environment variable.
"""

from __future__ import annotations

import tomllib
from pathlib import Path, PurePath
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_serializer

from tumorboard.defaults import SEGMENTER
from tumorboard.errors import InputError

Model = TypeVar("Model", bound=BaseModel)


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
    models: tuple[str, ...] = Field(default=(), description="models of the laboratory that are asked")
    clinical: tuple[str, ...] = Field(default=(), description="tables by patient for these models")
    digital: bool = Field(default=False, description="the patient is simulated; every output says so")

    @field_serializer("models")
    def _as_names(self, folders: tuple[str, ...]) -> list[str]:
        """Only names of folders: of a model that lies in results, that of the results."""
        places = (PurePath(f) for f in folders)
        return [p.parent.name if p.name == "model" and p.parent.name else p.name for p in places]

    @field_serializer("clinical")
    def _counted(self, tables: tuple[str, ...]) -> int:
        """How many: what a table is called may be a patient's name."""
        return len(tables)

    @field_serializer("segmenter", "detector")
    def _without_places(self, text: str) -> str:
        """Where a user's models lie is nobody's business: only the names of folders are written."""
        how, colon, rest = text.rpartition(":")
        return how + colon + "+".join(PurePath(part).name for part in rest.split("+"))


def read_model(path: Path, model: type[Model], what: str) -> Model:
    """Read a user's settings file in TOML.

    Parameters
    ----------
    path : Path
        Of the file.
    model : type
        What it holds.
    what : str
        That, in words, for messages.

    Raises
    ------
    InputError
        The file is absent, is no TOML, or holds what is no setting.
    """
    try:
        return model.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise InputError("a settings file", got="none that can be read", where="--settings") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError("a TOML file", got=str(error), where="--settings") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(p) for p in first["loc"]) or "settings"
        raise InputError(what, got=f"{place}: {first['msg']}", where="--settings") from error
