"""The words of the field that stand in file names, and how a name is cut into them.

Why it exists: recognition and redaction must agree on what a word means. A word is matched whole, never
as a part of another one (``T12_spine`` holds no T1). Nothing is decided here; see :mod:`.names`.
"""

from __future__ import annotations

import re
import unicodedata

VOCABULARY: dict[str, tuple[str, ...]] = {
    "t1": ("t1", "t1w", "t1wi"),
    "t2": ("t2", "t2w", "t2wi"),
    "flair": ("flair", "fla", "tirm", "darkfluid", "dark", "fluid"),
    "t1 technique": ("mprage", "mprag", "spgr", "fspgr", "bravo", "vibe", "tfl3d", "tfl"),
    "contrast": (
        *("ce", "gd", "gad", "gado", "gadolinium", "gadovist", "dotarem", "magnevist", "prohance", "clariscan", "km"),
        *("contrast", "kontrast", "kontrastmittel", "enhanced", "post", "postgad", "postgd", "postcontrast", "postkm"),
        *("contraste", "contrasto", "gadolinio", "mdc", "multihance", "gadobutrol", "gadoterate", "injection"),
    ),
    "native": (
        *("pre", "native", "nativ", "plain", "without", "ohne", "wo", "non", "no", "unenhanced", "none"),
        *("precontrast", "noncontrast", "pregad", "pregd", "prekm", "natif", "basale"),
    ),
    "mask": ("mask", "masks", "brainmask", "masked"),
    "segmentation": (
        *("seg", "segm", "segs", "segmentation", "segmented", "autoseg", "dseg", "probseg", "label", "labels"),
        *("labelmap", "gt", "truth", "groundtruth", "roi", "lesions", "tumormask", "tumourmask"),
    ),
    "diffusion": (
        *("adc", "dwi", "dti", "diff", "diffusion", "trace", "tracew", "ep2d", "fa", "md", "tensor", "b0", "b1000"),
        *("isodwi", "edwi", "eadc"),
    ),
    "perfusion": (
        *("dsc", "dce", "perf", "perfusion", "cbv", "rcbv", "cbf", "rcbf", "mtt", "tmax", "asl", "ktrans", "m0scan"),
    ),
    "susceptibility": ("swi", "swan", "qsm", "hemo", "t2starw", "t2star", "minip"),
    "subtraction": ("sub", "subtraction", "subtracted", "subtract", "subtr"),
    "map": ("map", "maps", "prob", "probability", "unit1", "mp2rage", "biasfield", "warp", "xfm", "fieldmap"),
    "projection": ("mip", "phase", "pha"),
    "planning": ("localizer", "localiser", "localizador", "localizzatore", "loc", "scout", "survey", "scanogram"),
    "vessels": ("tof", "mra", "mrv", "angio", "venogram"),
    "spectroscopy": ("mrs", "svs", "csi", "spectroscopy"),
    "function": ("bold", "sbref", "fmri"),
    "other modality": ("ct", "cct", "pet", "fet", "spect", "fdg"),
    "density": ("pd", "pdw", "pdt2"),
    "orientation": ("ax", "axial", "tra", "trans", "transversal", "sag", "sagittal", "cor", "coronal"),
    "technique": (
        *("2d", "3d", "iso", "se", "tse", "fse", "gre", "ffe", "tfe", "ir", "space", "spc", "cube", "vista", "fs"),
        *("fatsat", "blade", "propeller", "mr", "mri", "brain", "head", "anat", "axt1", "defaced", "bias", "n4"),
        *("corrected", "stripped", "bet", "registered", "reg", "coreg", "resampled", "plus", "c", "run", "star"),
    ),
}
"""Words by what they speak of, lower case."""

WORDS = frozenset(word for group in VOCABULARY.values() for word in group)
"""Every word of :data:`VOCABULARY`."""

EXTENSION = re.compile(r"\.(nii\.gz|nii|nrrd|nhdr|mha|mhd)$", re.IGNORECASE)
"""The ending of an image file."""

SIEMENS = re.compile(r"(?:tir|tse|se|fl|tfl|gre|spc|epfid|ir)[23]d\w{0,5}")
"""Siemens pulse sequence names, such as ``tir2d1`` and ``tse2d1``; a label of the image, not of a person."""

_FOLD = {"t1w": "t1", "t1wi": "t1", "t2w": "t2", "t2wi": "t2", "n": "native", "f": "flair"}
_GLUED_GROUPS = ("t1", "t2", "flair", "t1 technique", "contrast", "native", "orientation", "map", "subtraction")
_PIECES = sorted({w for g in _GLUED_GROUPS for w in VOCABULARY[g]} | {"2d", "3d", "star", "tse", "se", "plus"}, key=len)
_PIECE = "|".join([*reversed(_PIECES), r"(?<=t1)n", r"(?<=t2)f", r"(?<=t1)c", r"(?<=t1w)c"])
_GLUED = re.compile(rf"(?:{_PIECE})+")
_HAS_WEIGHTING = re.compile(r"t1|t2|flair|mprage|spgr|bravo")
_CASE_BORDER = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[0-9])(?=[A-Z][a-z])")
_C_MINUS = re.compile(r"(?<![A-Za-z0-9])[cC]-(?=[_\s.]|$)")
_TOKEN = re.compile(r"[^\W_]+")


def stem_of(name: str) -> str:
    """Return a file name without its image ending, composed (NFC) so that equal-looking names are equal.

    Examples
    --------
    >>> stem_of("T1 post.NII.gz")
    'T1 post'
    """
    return EXTENSION.sub("", unicodedata.normalize("NFC", name))


def words(text: str) -> tuple[str, ...]:
    """Cut a name into lower-case words: at separators, at case borders, and between glued known words.

    Parameters
    ----------
    text : str
        A name without its ending.

    Returns
    -------
    tuple of str
        ``t1w`` becomes ``t1``; a plus sign and an asterisk become the words ``plus`` and ``star``.

    Examples
    --------
    >>> words("AxT1Post_3D"), words("t1+C"), words("T2f"), words("T12")
    (('ax', 't1', 'post', '3d'), ('t1', 'plus', 'c'), ('t2', 'flair'), ('t12',))
    """
    text = _C_MINUS.sub(" native ", unicodedata.normalize("NFKC", text)).replace("+", " plus ").replace("*", " star ")
    return tuple(word for token in _TOKEN.findall(text) for word in _token_words(token))


def _token_words(token: str) -> list[str]:
    """Keep a token that is known as a whole; otherwise cut it at its case borders."""
    whole = _known_words(token.lower())
    if whole is not None:
        return whole
    parts = [part.lower() for part in _CASE_BORDER.split(token)]
    return [word for part in parts for word in _known_words(part) or [part]]


def _known_words(token: str) -> list[str] | None:
    if _HAS_WEIGHTING.search(token) and _GLUED.fullmatch(token):
        return [_FOLD.get(piece, piece) for piece in re.findall(_PIECE, token)]
    return [token] if token in WORDS or SIEMENS.fullmatch(token) else None
