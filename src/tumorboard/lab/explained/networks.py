"""Where networks look: maps of single patients with their tests, and which sequence counts.

Why it exists: a map persuades whoever looks at it. Each comes with the share of it that lies in the tumour beside the
share by chance, and with what became of it when the weights were made random; a map that fails is shown with the word.

How much is asked is decided beforehand by counting passes through the network, a fifth of those that training took,
and never by a clock, so that equal runs give equal files.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from tumorboard.errors import InputError
from tumorboard.explain.explanation import Driver, Drivers, Scope, by_size
from tumorboard.explain.images.asked import Asked
from tumorboard.explain.images.cam import cam
from tumorboard.explain.images.grad_cam import grad_cam
from tumorboard.explain.images.guided import guided_backprop
from tumorboard.explain.images.lime import lime
from tumorboard.explain.images.occlusion import sequence_ablation
from tumorboard.explain.images.rise import rise
from tumorboard.explain.images.saliency import Saliency
from tumorboard.explain.judge.inside import locate
from tumorboard.explain.judge.randomise import Explain, Sanity, randomisation_check
from tumorboard.explain.pictures import saliency_picture
from tumorboard.explain.tables.attention import attention_weights
from tumorboard.explain.words import drivers_sentence
from tumorboard.lab.explained.answering import attention_of
from tumorboard.lab.explained.asked import about
from tumorboard.lab.explained.seen import BACK, CASES, ROWS, SHARE, OfImages
from tumorboard.lab.explained.shown import Cell, Check, Made, Missing, Shown, shown
from tumorboard.lab.explained.tables import cell, picture_of
from tumorboard.lab.nets.images import MASK
from tumorboard.lab.step import Floats
from tumorboard.metrics.resampling import bootstrap
from tumorboard.report.model import Picture

COVERS, PIECES, SAMPLES = 100, 40, 150
"""Of RISE, and of LIME."""


@dataclass(frozen=True)
class Method:
    """A kind of map.

    Parameters
    ----------
    name, title : str
        In the catalogue, on the page.
    make : callable
        From a question to a map.
    passes : int
        That one map takes.
    patients : int
        Who have one.
    draws, stages : int
        Of the test by random weights.
    """

    name: str
    title: str
    make: Explain
    passes: int
    patients: int = CASES
    draws: int = 3
    stages: int = 4

    @property
    def cost(self) -> int:
        """Passes of a map with its test."""
        return self.passes * (2 + self.draws * self.stages)


def methods(seed: int) -> tuple[Method, ...]:
    """Return the kinds of maps, the cheapest first.

    Examples
    --------
    >>> [m.name for m in methods(0)], methods(0)[0].cost
    (['grad-cam', 'guided-backprop', 'rise', 'lime'], 42)
    """
    pieces = partial(lime, supervoxels=PIECES, samples=SAMPLES, seed=seed)
    return (
        Method("grad-cam", "Class activation", class_activation, BACK),
        Method("guided-backprop", "Guided back-propagation", guided_backprop, BACK),
        Method("rise", "Random covers (RISE)", partial(rise, masks=COVERS, seed=seed), COVERS, 2, 2, 1),
        Method("lime", "Supervoxels (LIME)", pieces, SAMPLES, 1, 2, 1),
    )


def class_activation(asked: Asked) -> Saliency:
    """Return the class activation map where the network allows it, else Grad-CAM."""
    try:
        return cam(asked)
    except InputError:
        return grad_cam(asked)


def explain_sequences(of: OfImages) -> Made:
    """Return which sequence counts, for the chosen patients and over the patients of the fold.

    Parameters
    ----------
    of : OfImages
        Which network.
    """
    question = of.questions[0]
    rows = [n for n, image in enumerate(of.pictured) if image is not None][:ROWS]
    if not rows:
        return Made(missing=(Missing(what="sequences", why="no patient of the fold has an image"),))
    each = {n: sequence_ablation(of.asked(n, question, about(of.run, question, of.patients[n]))) for n in rows}
    size = np.array([[abs(_effect(each[n], name)) for name in of.sequences] for n in rows])
    who = [of.patients[n] for n in rows]
    drivers = [
        Driver((name,), bootstrap(partial(_mean, size[:, c]), len(rows), who, seed=of.run.recipe.seed))
        for c, name in enumerate(of.sequences)
    ]
    first = each[rows[0]]
    found = Drivers(
        method=first.method, cites=first.cites, about=about(of.run, question), scope=Scope.GLOBAL,
        unit="mean absolute change of the output", drivers=by_size(drivers),
    )  # fmt: skip
    found = dataclasses.replace(found, sentence=drivers_sentence(found)).warned(
        "the only sequence: without it the image is empty" if len(of.sequences) == 1 else ""
    )
    lines: list[tuple[Cell, ...]] = [
        (question.words, of.patients[n], first.method, d.names[0], d.effect.value)
        for n in rows
        for d in each[n].drivers
    ]
    made = shown(
        found, slug="sequences", title="Which sequence counts", group="images",
        how=f"{of.source.how}; one sequence at a time is taken away, {len(rows)} patients", table="sequences",
        rows=lines, pictures=picture_of(found),
    )  # fmt: skip
    return Made(parts=(made, *_attention(of)))


def _effect(found: Drivers, name: str) -> float:
    return next(d.effect.value for d in found.drivers if d.names == (name,))


def _mean(values: Floats, rows: np.ndarray) -> float:
    return float(values[rows].mean())


def _attention(of: OfImages) -> list[Shown]:
    out = []
    for number, (question, case) in enumerate(of.cases, 1):
        image = of.pictured[case.row]
        weights = None if image is None else attention_of(of.learner, image.pixels)
        if weights is None:
            continue
        parts = tuple(f"point {n + 1} of {len(weights)}" for n in range(len(weights)))
        who = of.patients[case.row]
        found = attention_weights(weights, parts, about=about(of.run, question, who))
        lines: list[tuple[Cell, ...]] = [
            (question.words, who, found.method, p, float(w)) for p, w in zip(parts, weights, strict=True)
        ]
        made = shown(
            found, slug=f"attention-{number}", title=f"{who} – {case.why}: attention", group="images",
            how=of.source.how, table="sequences", rows=lines,
        )  # fmt: skip
        out.append(made)
    return out


def planned(of: OfImages) -> tuple[list[tuple[Method, int]], list[Missing]]:
    """Return which maps of which cases are made within the passes that there are, and what is left out.

    Parameters
    ----------
    of : OfImages
        Which network.
    """
    if of.images.view == "curve":
        why = "a curve has no places; sequences, and the network's own attention, say what it looks at"
        return [], [Missing(what="maps", why=why)]
    plan: list[tuple[Method, int]] = []
    missing: list[Missing] = []
    left = of.passes - ROWS * (BACK + len(of.sequences) + 2)  # for places and sequences, which are always told
    for method in methods(of.run.recipe.seed):
        for number in range(min(method.patients, len(of.cases))):
            if method.cost > left:
                why = f"explaining may take {SHARE:.0%} of the passes of training, which were used up"
                missing.append(Missing(what=f"{method.title}, patient {number + 1}", why=why))
                continue
            left -= method.cost
            plan.append((method, number))
    return plan, missing


def explain_map(of: OfImages, method: Method, number: int) -> Made:
    """Return one map of one patient with its tests.

    Parameters
    ----------
    of : OfImages
        Which network.
    method : Method
        Which kind.
    number : int
        Of the case, from 0.
    """
    question, case = of.cases[number]
    who = of.patients[case.row]
    asked = of.asked(case.row, question, about(of.run, question, who))
    try:
        found, place = _located(of, method.make(asked), case.row)
        sane = randomisation_check(
            method.make, asked, seed=of.run.recipe.seed, draws=method.draws, stages=method.stages
        )
    except InputError as error:
        return Made(missing=(Missing(what=f"{method.title}, patient {number + 1}", why=str(error)),))
    found = found.warned("" if sane.passes else "fails the randomisation check: it does not show what was learned")
    title = f"{who} – {case.why}: {'class activation map' if found.method == 'cam' else found.method}"
    made = shown(
        found, slug=f"{method.name}-{number + 1}", title=title, group="images", how=of.source.how, table="maps",
        rows=[_line(question.words, who, found, sane)], pictures=_picture(of, found, case.row),
        checks=(place, Check(ground="weights", verdict=sane.sentence, passed=sane.passes)),
    )  # fmt: skip
    return Made(parts=(made,))


def _line(words: str, who: str, found: Saliency, sane: Sanity | None) -> tuple[Cell, ...]:
    share = found.regions[0] if found.regions else None
    place: tuple[Cell, ...] = ("", "", "", "")
    if share is not None:
        place = (share.region, share.share, share.expected, cell(share.lift))
    tested: tuple[Cell, ...] = ("", "") if sane is None else (sane.correlations[-1], "yes" if sane.passes else "no")
    return (words, who, found.method, *place, *tested)


def _located(of: OfImages, found: Saliency, row: int) -> tuple[Saliency, Check]:
    image = of.pictured[row]
    if image is None or image.region is None or not image.region.any():
        told = "Where the tumour lies in this image is not known: its share of the map cannot be told."
        return found, Check(ground="place", verdict=told, passed=False)
    channels = [n for n, name in enumerate(of.sequences) if name != MASK]
    there = (image.pixels[channels] != 0).any(axis=0) | image.region
    placed = locate(found, {of.region: image.region}, there, tumour=of.region)
    share = placed.regions[0]
    passed = share.share > share.expected
    verdict = f"{share.share:.1%} of the map lies in {share.region}, {share.expected:.1%} by chance"
    return placed, Check(ground="place", verdict=f"{verdict}{'' if passed else ': an unreliable case'}.", passed=passed)


def _picture(of: OfImages, found: Saliency, row: int) -> tuple[Picture, ...]:
    from tumorboard.volume import Volume

    image = of.pictured[row]
    if image is None or of.images.view not in ("cube", "slices") or found.values.ndim != 3:
        return ()  # three planes are no stack of slices
    size = np.abs(image.pixels).reshape(len(image.pixels), -1).sum(axis=1)
    usual = of.sequences.index("T1C") if "T1C" in of.sequences else 0
    channel = usual if size[usual] > 0 else int(size.argmax())
    volume = Volume.of(image.pixels[channel], np.eye(4))
    return (saliency_picture(found, volume, image.region, title=of.sequences[channel], to_scale=False),)


def explain_places(of: OfImages) -> Made:
    """Return how often maps of the fold's patients lie in the tumour more than by chance.

    Parameters
    ----------
    of : OfImages
        Which network.
    """
    what = "place of maps over patients"
    question = of.questions[0]
    rows = [n for n, image in enumerate(of.pictured) if image is not None and image.region is not None][:ROWS]
    if of.images.view == "curve" or not rows:
        why = (
            "where the tumour lies in the images is not known" if of.images.view != "curve" else "a curve has no places"
        )
        return Made(missing=(Missing(what=what, why=why),))
    try:
        found = [
            _located(of, class_activation(of.asked(n, question, about(of.run, question, of.patients[n]))), n)
            for n in rows
        ]
    except InputError as error:
        return Made(missing=(Missing(what=what, why=str(error)),))
    made = [one for one, _ in found if one.regions]
    if not made:
        return Made(missing=(Missing(what=what, why="where the tumour lies in the images is not known"),))
    inside = sum(check.passed for _, check in found)
    shares, chance = (float(np.median([getattr(m.regions[0], a) for m in made])) for a in ("share", "expected"))
    sentence = (
        f"In {inside} of {len(made)} patients more of the map lies in {of.region} than by chance; "
        f"the median share is {shares:.1%}, {chance:.1%} by chance{about(of.run, question).ending}."
    )
    first = made[0]
    lines = [_line(question.words, of.patients[n], one, None) for n, (one, _) in zip(rows, found, strict=True)]
    check = Check(ground="place", verdict=sentence, passed=inside > len(made) / 2)
    record = {"patients": len(made), "inside": inside, "median_share": shares, "median_by_chance": chance}
    told = Shown(
        slug="places", title="Place of the maps", group="images", how=f"{of.source.how}; {len(made)} patients",
        method=first.method, taxonomy="global, post-hoc", cites=first.cites, sentence=sentence, checks=(check,),
        warnings=tuple(dict.fromkeys(w for one in made for w in one.warnings if w.startswith("coarse"))), record=record,
        table="maps", rows=tuple(lines),
    )  # fmt: skip
    return Made(parts=(told,))


Step = tuple[str, Callable[[], Made]]


def steps_of(of: OfImages) -> list[Step]:
    """Return what is made for a network, step by step, each to be kept on its own.

    Parameters
    ----------
    of : OfImages
        Which network.
    """
    plan, missing = planned(of)
    steps: list[Step] = [("sequences", partial(explain_sequences, of)), ("places", partial(explain_places, of))]
    steps += [(f"{m.name}-{n + 1}", partial(explain_map, of, m, n)) for m, n in plan]
    return [*steps, ("left", lambda: Made(missing=tuple(missing)))]
