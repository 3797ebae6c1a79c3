"""A run's network as it is asked: the patients of one fold, their images and regions, and how much may be asked.

Why it exists: maps, sequences and attention speak of the same network and the same patients; they are found once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from tumorboard.errors import InputError
from tumorboard.explain.explanation import About
from tumorboard.explain.images.asked import Asked
from tumorboard.lab.explained.answering import Answering, Pictured, pictured
from tumorboard.lab.explained.chosen import Chosen, chosen
from tumorboard.lab.explained.questions import Question
from tumorboard.lab.explained.refitted import OutOfFold
from tumorboard.lab.nets.images import Images
from tumorboard.lab.nets.learner import ImageNetwork
from tumorboard.lab.run import Run
from tumorboard.lab.step import Floats

SHARE, MOST = 0.2, 4000
"""Passes that explaining may take, as a part of those of training; and at most."""
CASES, ROWS = 4, 12
"""Patients with maps of their own; patients over whom shares are summed up."""
BACK = 3
"""Passes that a gradient costs, as many as a step of training."""


@dataclass(frozen=True)
class OfImages:
    """A run's network, to be explained by images.

    Parameters
    ----------
    run : Run
        That ended.
    source : OutOfFold
        The model of one fold, and that fold's patients.
    questions : tuple of Question
        About these rows.
    """

    run: Run = field(repr=False)
    source: OutOfFold = field(repr=False)
    questions: tuple[Question, ...]

    @cached_property
    def learner(self) -> ImageNetwork:
        """The network of the fold."""
        found = self.source.parts[0].fitted.pipeline.learner
        if not isinstance(found, ImageNetwork):
            raise InputError("a network", got=type(found).__name__, where="maps")
        return found

    @cached_property
    def images(self) -> Images:
        """Crops of the rows."""
        part = self.source.parts[0]
        found: Images = part.fitted.images(part.test)
        return found

    @cached_property
    def pictured(self) -> list[Pictured | None]:
        """Image and region of each row."""
        part = self.source.parts[0]
        for step, raw in zip(part.fitted.material, part.test.material, strict=True):
            if hasattr(step, "regions"):
                regions = step.regions(list(raw.rows))
                return [pictured(self.images, region, row) for row, region in enumerate(regions)]
        return [pictured(self.images, None, row) for row in range(len(self.images))]

    @cached_property
    def prepared(self) -> Floats:
        """Columns beside the images, as the network is given them."""
        part = self.source.parts[0]
        return part.fitted.pipeline.prepared(self.source.values, part.test.sites)

    @cached_property
    def patients(self) -> tuple[str, ...]:
        """Of the rows."""
        return self.source.parts[0].test.table.patients

    @cached_property
    def cases(self) -> tuple[tuple[Question, Chosen], ...]:
        """Patients with images who are explained, and about which number."""
        several = len(self.questions) > 1
        told = self.source.predict(self.source.values)
        found = [
            (question, one)
            for question in self.questions
            for one in chosen(question, told[:, question.column], self.patients, wrong_alone=several)
            if self.pictured[one.row] is not None
        ]
        order = sorted(found, key=lambda pair: found.index(pair) if not several else (pair[1].wrong, found.index(pair)))
        return tuple(order[:CASES])

    @property
    def region(self) -> str:
        """Name of the region around which images were cut."""
        part = next((p for p in self.run.recipe.representation if p.name == "network"), None)
        told = part.settings.get("region", self.run.recipe.region) if part is not None else self.run.recipe.region
        names = [told] if isinstance(told, str) else list(told)
        return "tumour" if not names or names[0] == "none" else str(names[0])

    @property
    def sequences(self) -> tuple[str, ...]:
        """Channels."""
        return self.images.channels

    @property
    def passes(self) -> int:
        """Passes through the network that explaining may take."""
        epochs = len(self.learner.history_.train)
        trained = BACK * epochs * len(self.run.training) * (len(self.run.folds) + 1)
        return min(MOST, int(SHARE * trained))

    def asked(self, row: int, question: Question, told: About) -> Asked:
        """Return the question to the network about one row."""
        image = self.pictured[row]
        if image is None:
            raise InputError("an image", got="none", where="maps")
        network = Answering(self.learner, self.images.view, self.prepared[[row]])
        return Asked(network, image.pixels, question.column, self.sequences, 0.0, told)
