"""A trained recipe as a folder: card, parameters, validity check, prediction sets; no pickle.

Why it exists: a model that cannot say what it was trained on, on how many, and whether a new patient is like them must
not be asked. One that was trained on digital patients answers for digital patients only.

A folder holds ``metadata.json`` (the card) and ``model.skops``: parameters in the format of skops, which is read with a
list of trusted classes and runs nothing else; and ``cases.safetensors``, training rows without names, which may be
taken away. Equal models give equal bytes.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict

from tumorboard.errors import FileFormatError, InputError
from tumorboard.lab.apply.cases import FILE as CASES
from tumorboard.lab.apply.cases import TrainingCases
from tumorboard.lab.conformal import Conformal
from tumorboard.lab.dataset import Dataset, Origin
from tumorboard.lab.fold import Fitted
from tumorboard.lab.outcome import Outcome
from tumorboard.lab.recipe import Outcomes, Recipe
from tumorboard.lab.step import Floats
from tumorboard.lab.table import Table
from tumorboard.lab.validity import Validity, Verdict
from tumorboard.store import digest, write_atomic, write_json

FORMAT = 1

TRUSTED = frozenset(
    {
        "numpy.dtype",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.impute._iterative.IterativeImputer",
        "sklearn.impute._iterative._ImputerTriplet",
        "sklearn.metrics._dist_metrics.EuclideanDistance64",
        "sklearn.neighbors._kd_tree.KDTree",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.tree._tree.Tree",
    }
)
"""Classes beside ours (``tumorboard.lab``) and those that skops trusts by itself."""

_OURS = "tumorboard.lab."
_DATE = (1980, 1, 1, 0, 0, 0)


class Card(BaseModel):
    """What must be known of a model before it is asked.

    Parameters
    ----------
    format : int
        Of this folder.
    id : str
        Of the recipe, with a hash of what was learned.
    title, cites, question : str
        Of the recipe.
    world : str
        Whose rows it learned from.
    digital : bool
        Whether these were digital patients: then it is refused on patients.
    shuffled : bool
        Whether their outcomes were shuffled: then it is applied to nobody.
    training : mapping
        Numbers of rows, patients, events, sites.
    inputs : tuple of str
        Columns that it needs, in their order.
    outcome : tuple of str
        Classes, labels or quantity that it tells.
    measured : mapping
        Metrics out of fold: value, low, high.
    leading : str
        Which of them leads.
    origins : tuple of Origin
        What each representation gave; empty where rows did not come from a cohort: then it cannot be made anew.
    recipe : str
        YAML.
    software : mapping of str to str
        Versions.
    use, limits : str
        In words.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = FORMAT
    id: str
    title: str
    cites: str
    question: str
    world: str
    digital: bool
    shuffled: bool = False
    training: Mapping[str, int]
    inputs: tuple[str, ...]
    outcome: tuple[str, ...]
    measured: Mapping[str, Mapping[str, float | None]]
    leading: str = ""
    origins: tuple[Origin, ...] = ()
    recipe: str
    software: Mapping[str, str]
    use: str = "research only; not for diagnosis"
    limits: str = "holds for patients like those it learned from; each answer says how like they are"

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the card of a model.

        Raises
        ------
        FileFormatError
            It is missing, damaged, or of another format.
        """
        try:
            told = json.loads((folder / "metadata.json").read_bytes())
            other = told.get("format") if isinstance(told, dict) else None
            if isinstance(other, int) and other != FORMAT:
                got, remedy = f"format {other}", "use the version of tumorboard that wrote it"
                raise FileFormatError(f"a model of format {FORMAT}", got=got, where="model", remedy=remedy)
            return cls.model_validate(told)
        except (OSError, ValueError) as error:
            remedy = "give the folder `model` of the results of `tumorboard lab run`"
            expected = "a model that tumorboard lab wrote"
            raise FileFormatError(expected, got="another folder", where="model", remedy=remedy) from error


@dataclass(frozen=True)
class Answer:
    """What a model says of one row.

    Parameters
    ----------
    card_id : str
        Of the model.
    values : tuple of float
        As the learner predicts them.
    names : tuple of str
        Of classes, labels or the quantity.
    among : tuple of str
        Classes that hold the truth in the share that :class:`~tumorboard.lab.conformal.Conformal` promises.
    interval : tuple of float, optional
        The same for a quantity.
    validity : Verdict
        Whether the row is like the training rows.
    """

    card_id: str
    values: tuple[float, ...]
    names: tuple[str, ...]
    among: tuple[str, ...]
    interval: tuple[float, float] | None
    validity: Verdict


@dataclass(frozen=True)
class Model:
    """A trained recipe.

    Parameters
    ----------
    card : Card
        What must be known of it.
    fitted : Fitted
        Steps, learner and what representations learned.
    validity : Validity
        Of new rows.
    conformal : Conformal or None
        Prediction sets; None for survival and labels.
    cases : TrainingCases, optional
        Training rows without names.
    """

    card: Card
    fitted: Fitted
    validity: Validity
    conformal: Conformal | None
    cases: TrainingCases | None = None

    @classmethod
    def of(cls, recipe: Recipe, data: Dataset, fitted: Fitted, conformal: Conformal | None, facts: CardFacts) -> Self:
        """Return the model of a recipe that was fitted on rows."""
        validity = Validity().fit(fitted.features(data), fitted.names)
        card = Card(
            id=f"{recipe.id}-{digest(data.digest, recipe.as_yaml())[:8]}",
            title=recipe.title,
            cites=recipe.cites,
            question=recipe.question,
            world=data.world,
            digital=data.digital,
            shuffled=data.permuted,
            training=facts.training,
            inputs=fitted.names,
            outcome=data.outcome.names,
            measured=facts.measured,
            leading=facts.leading,
            origins=data.origins,
            recipe=recipe.as_yaml(),
            software=facts.software,
        )
        return cls(card, fitted, validity, conformal)

    def answer(self, table: Table, digital: bool, sites: tuple[str, ...] = ()) -> tuple[Answer, ...]:
        """Return what the model says of rows.

        Parameters
        ----------
        table : Table
            With the columns of :attr:`Card.inputs`; others are not looked at.
        digital : bool
            Whether these are digital patients.
        sites : tuple of str
            Of each row; empty: unknown.

        Raises
        ------
        InputError
            The model learned from digital patients and these are none, a column is missing (it is named), or the
            model needs images (see :meth:`answer_rows`).
        """
        if self.fitted.material:
            raise InputError("a dataset with images", got="columns alone", where="model")
        n = len(table.units)
        where = np.array(list(sites) or [""] * n, dtype=np.str_)
        columns = table.columns(self.card.inputs)
        unknown = Outcome(Outcomes.REGRESSION, np.zeros((n, 1)))  # nothing reads it
        return self.answer_rows(Dataset.of(columns, unknown, where.tolist(), digital=digital))

    def answer_rows(self, data: Dataset) -> tuple[Answer, ...]:
        """Return what the model says of rows with all that its representations ask for; outcomes are not read.

        Raises
        ------
        InputError
            The model learned from digital patients and these are none, or from shuffled outcomes.
        """
        if self.card.shuffled:
            remedy = "train the recipe without --null"
            raise InputError("a model of outcomes", got="one of shuffled outcomes", where="model", remedy=remedy)
        if self.card.digital and not data.digital:
            remedy = "train the recipe on a cohort of patients"
            raise InputError("a model of patients", got="one of digital patients", where="model", remedy=remedy)
        verdicts = self.validity.judge(self.fitted.features(data))
        return tuple(self._one(v, verdict) for v, verdict in zip(self.fitted.predict(data), verdicts, strict=True))

    def _one(self, value: Floats, verdict: Verdict) -> Answer:
        names = self.card.outcome
        among: tuple[str, ...] = ()
        interval: tuple[float, float] | None = None
        row = value.reshape(1, -1)
        if self.conformal is not None and self.conformal.kind == "classes":
            inside = self.conformal.sets(row)[0]
            among = tuple(n for n, i in zip(names, inside, strict=True) if i)
        elif self.conformal is not None:
            low, high = self.conformal.interval(row)[0]
            interval = (float(low), float(high))
        return Answer(self.card.id, tuple(float(v) for v in value), names, among, interval, verdict)

    def save(self, folder: Path) -> None:
        """Write the card and the parameters, each whole or not at all.

        Raises
        ------
        OutputError
            The folder cannot be written.
        """
        import skops.io

        conformal = None if self.conformal is None else asdict(self.conformal)
        held = {
            "pipeline": self.fitted.pipeline,
            "material": list(self.fitted.material),
            "validity": self.validity,
            "names": list(self.fitted.names),
            "settings": dict(self.fitted.settings),
            "conformal": None if conformal is None else json.dumps(conformal),
        }
        write_atomic(folder / "model.skops", _canonical(skops.io.dumps(held)))
        if self.cases is None:
            (folder / CASES).unlink(missing_ok=True)
        else:
            write_atomic(folder / CASES, self.cases.as_bytes())
        write_json(folder / "metadata.json", self.card.model_dump(mode="json"))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a model.

        Raises
        ------
        FileFormatError
            A file is missing, damaged, of another format, or holds a class that is not trusted.
        """
        import skops.io

        card = Card.read(folder)
        try:
            raw = (folder / "model.skops").read_bytes()
            cases = (folder / CASES).read_bytes() if (folder / CASES).is_file() else None
            unknown = skops.io.get_untrusted_types(data=raw)
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise FileFormatError("a model that tumorboard lab wrote", got="another folder", where="model") from error
        strange = [u for u in unknown if u not in TRUSTED and not u.startswith(_OURS)]
        if strange:
            raise FileFormatError("a model of classes that are trusted", got=f"the class {strange[0]}", where="model")
        kept = None if cases is None else TrainingCases.of_bytes(cases)
        try:
            held = skops.io.loads(raw, trusted=unknown)
            told = held["conformal"]
            conformal = None if told is None else Conformal(**json.loads(told))
            fitted = Fitted(held["pipeline"], tuple(held["material"]), tuple(held["names"]), held["settings"])
            return cls(card, fitted, held["validity"], conformal, kept)
        except Exception as error:  # skops raises what its parts raise; a damaged file is the reason of all
            raise FileFormatError("a whole model", got="a damaged one", where="model") from error


@dataclass(frozen=True)
class CardFacts:
    """What a run knows and a card repeats: numbers of the training rows, metrics, versions."""

    training: Mapping[str, int]
    measured: Mapping[str, Mapping[str, float | None]]
    software: Mapping[str, str]
    leading: str = ""


def _canonical(raw: bytes) -> bytes:
    """Return the archive with running numbers for memory addresses and one date for all: equal models, equal bytes."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        schema = archive.read("schema.json").decode()
        numbers: dict[str, str] = {}

        def renumber(found: re.Match[str]) -> str:
            return found[1] + numbers.setdefault(found[2], str(len(numbers) + 1)) + found[3]

        schema = re.sub(r'("__id__": |"file": ")(\d+)(\.\w+"|)', renumber, schema)
        files = {
            numbers.get(n.split(".")[0], n.split(".")[0]) + "." + n.split(".", 1)[1]: n for n in archive.namelist()
        }
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
            for name in sorted(files):
                content = schema.encode() if name == "schema.json" else archive.read(files[name])
                made.writestr(zipfile.ZipInfo(name, _DATE), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def shown(value: Any) -> float | None:
    """Return a float for JSON, or None where it is not finite."""
    number = float(value)
    return number if np.isfinite(number) else None
