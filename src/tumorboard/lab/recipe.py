"""A recipe: one published system as a sentence of sequences, region, representation, learner and validation.

Why it exists: what a paper did must be readable in one minute, runnable on anyone's cohort, and wrong in no silent way.
A recipe is a YAML file; a key or a part that does not exist is refused with the nearest that does. Nothing in it is
code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from tumorboard.errors import InputError, did_you_mean
from tumorboard.sequences import Sequence as Kind

Word = str | int | float | bool


class Outcomes(StrEnum):
    """What is predicted: one of two, one of several, several yes or no, days to an event, or a number."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    MULTILABEL = "multilabel"
    SURVIVAL = "survival"
    REGRESSION = "regression"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Part(BaseModel):
    """A part by name with its settings, as ``{name: correlation, above: 0.95}``; a bare name is one without settings.

    Parameters
    ----------
    name : str
        As its registry knows it.

    Examples
    --------
    >>> Part.model_validate({"name": "mrmr", "keep": 20}).settings
    {'keep': 20}
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @property
    def settings(self) -> dict[str, Any]:
        """What stands beside the name."""
        return dict(self.model_extra or {})


class Learner(Part):
    """A learner by name with its settings.

    Parameters
    ----------
    tune : mapping of str to list
        Settings to choose among, by folds inside the training rows; every combination is tried.
    """

    tune: Mapping[str, tuple[Any, ...]] = Field(default_factory=dict)


class Endpoint(_Frozen):
    """What is predicted, and where it stands.

    Parameters
    ----------
    kind : str
        See :class:`Outcomes`.
    column : str
        Of a table of the cohort; for binary, multiclass, regression.
    columns : tuple of str
        The same for multilabel: each holds yes or no.
    positive : str or tuple of str
        Words that are yes, for binary and multilabel.
    negative : tuple of str
        Words that are no; empty: every other word. A patient with neither has no outcome.
    classes : tuple of str
        Order of classes; empty: all words, alphabetically.
    days, event : str
        Columns of survival; event is 1 where it was seen.
    above : float, optional
        Binary from a number: yes above it.
    """

    kind: Outcomes
    column: str = ""
    columns: tuple[str, ...] = ()
    positive: tuple[str, ...] = ("1", "yes", "true", "mutant", "positive")
    negative: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    days: str = ""
    event: str = ""
    above: float | None = None

    @field_validator("positive", "negative", "classes", "columns", mode="before")
    @classmethod
    def _words(cls, value: Any) -> Any:
        items = value if isinstance(value, (list, tuple)) else (value,)
        return tuple(str(int(v)) if isinstance(v, bool) else str(v) for v in items)

    @model_validator(mode="after")
    def _named(self) -> Self:
        needs = {
            Outcomes.SURVIVAL: ("days", "event"),
            Outcomes.MULTILABEL: ("columns",),
        }.get(self.kind, ("column",))
        missing = [n for n in needs if not getattr(self, n)]
        if missing:
            raise ValueError(f"a {self.kind.value} endpoint names {' and '.join(missing)}")
        return self

    @property
    def sources(self) -> tuple[str, ...]:
        """Columns that the outcome is read from."""
        return tuple(c for c in (self.column, *self.columns, self.days, self.event) if c)


class Validation(_Frozen):
    """How patients are kept apart; a patient is never on both sides.

    Parameters
    ----------
    name : str
        One of ``split``, ``kfold``, ``nested``, ``leave_one_out``, ``leave_site_out``, ``temporal``, ``external``.
    folds, repeats : int
        Of k folds.
    test_share : float
        Of patients, for a split by chance or by time.
    inner : int
        Folds inside the training rows, for tuning.
    by : str
        Column of sites (``leave_site_out``, ``external``) or of the date's order (``temporal``).
    test : tuple of str
        Sites that are kept for the test (``external``); empty where another cohort is given.
    stratify : bool
        Whether folds hold alike shares of the outcome.
    """

    name: str = "kfold"
    folds: int = Field(default=5, ge=2)
    repeats: int = Field(default=1, ge=1, le=100)
    test_share: float = Field(default=0.3, gt=0, lt=1)
    inner: int = Field(default=3, ge=2)
    by: str = "site"
    test: tuple[str, ...] = ()
    stratify: bool = True


class Recipe(_Frozen):
    """One system; see the files in ``recipes/``.

    Parameters
    ----------
    id, title, cites, question : str
        Which system of the literature, and what it answers.
    endpoint : Endpoint
        What is predicted.
    unit : str
        What a row is: ``patient``, ``study``, ``lesion`` or ``biopsy``; all rows of one patient stay together.
    study : str
        Which study of a patient: ``first``, ``last``, ``all`` or an id.
    sequences : tuple of str
        By name.
    region : tuple of str
        Of :data:`tumorboard.lab.regions.REGIONS`.
    representation : tuple of Part
        What is computed; tables stand side by side.
    prepare : tuple of Part
        Imputation, harmonisation, scaling, selection in this order, all learned inside the folds.
    learner : Learner
        And its settings.
    validation : Validation
        How it is tested.
    metrics : tuple of str
        Empty: those that suit the endpoint.
    where : mapping of str to words
        Only patients whose column holds one of these.
    reference : str
        Where the marker was measured: ``brain``, ``primary``, or empty where that is no question.
    compare : tuple of str
        Columns whose plain model it must beat, as ``age``; empty: chance only.
    subgroups : tuple of str
        Columns in whose groups it is judged apart, named beforehand; empty: sex, age and scanner, where they are.
    seed : int
        Of every random choice.
    published : mapping
        What the paper reports.
    """

    id: str
    title: str
    cites: str = ""
    question: str = ""
    endpoint: Endpoint
    unit: Literal["patient", "study", "lesion", "biopsy"] = "patient"
    study: str = "first"
    sequences: tuple[str, ...] = ()
    region: tuple[str, ...] = ("none",)
    representation: tuple[Part, ...] = Field(min_length=1)
    prepare: tuple[Part, ...] = ()
    learner: Learner
    validation: Validation = Validation()
    metrics: tuple[str, ...] = ()
    where: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    reference: Literal["", "brain", "primary"] = ""
    compare: tuple[str, ...] = ()
    subgroups: tuple[str, ...] = ()
    seed: int = Field(default=1, ge=0)
    published: Mapping[str, Any] = Field(default_factory=dict)

    @field_validator(
        "region", "sequences", "metrics", "compare", "subgroups", "representation", "prepare", mode="before"
    )
    @classmethod
    def _many(cls, value: Any) -> Any:
        return value if isinstance(value, (list, tuple)) else (value,)

    @field_validator("where", mode="before")
    @classmethod
    def _where(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {k: tuple(str(w) for w in (v if isinstance(v, (list, tuple)) else (v,))) for k, v in value.items()}

    @field_validator("sequences")
    @classmethod
    def _sequences(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if name not in Kind.__members__:
                raise ValueError(f"{name!r} is no sequence{nearest(name, list(Kind.__members__))}")
        return value

    def with_settings(self, **changes: Any) -> Self:
        """Return the recipe with other top-level values; they are checked as in a file.

        Examples
        --------
        >>> read_recipe("example").with_settings(seed=7).seed
        7
        """
        return type(self).model_validate(self.model_dump(mode="python") | changes)

    def as_yaml(self) -> str:
        """Return the recipe as YAML with every default written out."""
        import yaml

        return str(yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=110))


def nearest(name: str, known: Sequence[str]) -> str:
    """Return a half-sentence that proposes the nearest known name, or lists them.

    Examples
    --------
    >>> nearest("forrest", ["forest", "cox"])
    "; did you mean 'forest'?"
    """
    return "; " + did_you_mean(str(name), known, f"there are {', '.join(known)}")


def recipe_names() -> tuple[str, ...]:
    """Return the ids of the recipes that come with the package, in the order of the field (C1 … F17), then words.

    Examples
    --------
    >>> "example" in recipe_names()
    True
    """
    names = [f.name.removesuffix(".yaml") for f in files("tumorboard").joinpath("recipes").iterdir()]
    return tuple(sorted((n for n in names if not n.endswith(".py") and not n.startswith("_")), key=_order))


def _order(name: str) -> tuple[str, int, str]:
    number = "".join(c for c in name[1:] if c.isdigit())
    return (name[0], int(number), name) if name[0].isupper() and number else ("~", 0, name)


def read_recipe(name: str | Path) -> Recipe:
    """Read a recipe.

    Parameters
    ----------
    name : str or Path
        Id of one that comes with the package, or a YAML file.

    Returns
    -------
    Recipe

    Raises
    ------
    InputError
        No such recipe, no YAML, a key that no recipe has, or a part that does not exist: with the nearest that does.

    Examples
    --------
    >>> read_recipe("example").learner.name
    'logistic'
    """
    text = _file(Path(name)) if str(name).endswith((".yaml", ".yml")) else _shipped(str(name))
    return parse_recipe(text)


def parse_recipe(text: str) -> Recipe:
    """Read a recipe from YAML text; see :func:`read_recipe`.

    Raises
    ------
    InputError
        As :func:`read_recipe`.
    """
    import yaml

    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        got = f"a mistake in line {mark.line + 1}" if mark else "something else"
        raise InputError("YAML", got=got, where="recipe") from error
    if not isinstance(content, dict):
        raise InputError("keys and values (id, title, endpoint …)", got="something else", where="recipe")
    try:
        recipe = Recipe.model_validate(content)
    except ValidationError as error:
        raise _refusal(error) from error
    from tumorboard.lab.checks import check_parts

    check_parts(recipe)
    return recipe


def _refusal(error: ValidationError) -> InputError:
    first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")  # a misspelt key explains a missing one
    at = [str(p) for p in first["loc"]]
    key = ".".join(at) or "recipe"
    if first["type"] == "extra_forbidden":
        models: dict[str, type[BaseModel]] = {"endpoint": Endpoint, "validation": Validation}
        model = models.get(at[0], Recipe)
        return InputError(
            "keys that a recipe has", got=f"{key!r}{nearest(at[-1], list(model.model_fields))}", where="recipe"
        )
    if first["type"] == "missing":
        return InputError(f"the key {key!r}", got="none", where="recipe", remedy="add it")
    return InputError(f"a value that fits {key!r}", got=first["msg"], where="recipe")


def _file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("a YAML file", got="none that can be read", where="recipe") from error


@cache
def _shipped(name: str) -> str:
    known = recipe_names()
    if name not in known:
        raise InputError("a recipe of the package, or a YAML file", got=f"{name!r}{nearest(name, known)}")
    return files("tumorboard").joinpath("recipes", f"{name}.yaml").read_text(encoding="utf-8")
