"""Models that are asked for: read, compared with this version's parts, and refused where they must not answer.

Why it exists: whatever is wrong with a model is told before an image is opened. One that learned from digital patients
answers for digital patients only, and one that learned from shuffled outcomes for nobody.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tumorboard.errors import FileFormatError, InputError, TumorboardError
from tumorboard.lab.model import Card, Model
from tumorboard.lab.recipe import Recipe, parse_recipe
from tumorboard.store import digest, digest_file

_INSIDE = "model"
"""Where `lab run` puts the model in its results."""


@dataclass(frozen=True)
class Ready:
    """A model that can be asked.

    Parameters
    ----------
    model : Model
        With its card.
    recipe : Recipe
        That it was trained by.
    digest : str
        Of its files.
    """

    model: Model
    recipe: Recipe
    digest: str

    @property
    def card(self) -> Card:
        """Of the model."""
        return self.model.card

    @property
    def slug(self) -> str:
        """Its id as the name of a file."""
        return re.sub(r"[^A-Za-z0-9_.-]+", "_", self.card.id).strip(".") or "model"


def read_ready(folder: Path) -> Ready:
    """Read a model.

    Parameters
    ----------
    folder : Path
        ``model/`` of the results of ``tumorboard lab run``, or these results.

    Raises
    ------
    FileFormatError
        It is damaged, of another format, or none.
    InputError
        Its recipe names a part that this version does not have, or it was trained on a bare table.
    """
    place = folder / _INSIDE if (folder / _INSIDE / "metadata.json").is_file() else folder
    card = Card.read(place)
    try:
        recipe = parse_recipe(card.recipe)
    except TumorboardError as error:
        got = f"a model whose recipe does not fit ({error.got or error.expected})"
        remedy = "use the version that trained it, or train it again"
        raise InputError("a recipe of this version", got=got, where=_named(card), remedy=remedy) from error
    if len(card.origins) != len(recipe.representation):
        remedy = "train it with `tumorboard lab run` on a cohort"
        raise InputError("a model of a cohort", got="one of a bare table", where=_named(card), remedy=remedy)
    model = Model.load(place)
    if len(model.validity.names_) != len(card.inputs):
        raise FileFormatError("a card of its own model", got="that of another", where=_named(card))
    files = sorted(p for p in place.iterdir() if p.is_file())
    return Ready(model, recipe, digest(*(f"{p.name} {digest_file(p)}" for p in files)))


def read_all(folders: Sequence[Path]) -> tuple[Ready, ...]:
    """Read models, each once.

    Raises
    ------
    InputError
        As :func:`read_ready`, or two have one id.
    """
    found = tuple(read_ready(f) for f in folders)
    ids = [r.card.id for r in found]
    if len(set(ids)) < len(ids):
        twice = next(i for i in ids if ids.count(i) > 1)
        raise InputError("models of different ids", got=f"{twice} twice", where="--models", remedy="give it once")
    return found


def may_answer(card: Card, digital: bool) -> bool:
    """Return whether a model may be asked about a patient.

    Parameters
    ----------
    card : Card
        Of the model.
    digital : bool
        Whether the patient is digital.
    """
    return not card.shuffled and (digital or not card.digital)


def refusal(card: Card) -> InputError:
    """Return the error for a model that is asked about a patient of whom it knows nothing."""
    got = f"one that learned from {'shuffled outcomes' if card.shuffled else 'digital patients'}"
    remedy = "train the recipe without --null" if card.shuffled else "train the recipe on a cohort of patients"
    return InputError("a model that learned from patients", got=got, where=_named(card), remedy=remedy)


def _named(card: Card) -> str:
    return f"model {card.id}"
