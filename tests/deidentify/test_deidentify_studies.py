"""Whole digital studies: released as a whole, and recognised as before."""

import pytest

from tumorboard.deidentify import Options, deidentify_tree
from tumorboard.deidentify.words import clean_text
from tumorboard.intake import IntakeRequest, take_in
from tumorboard.intake.evidence.contrast import said_of_contrast
from tumorboard.simulate.files.header_words import AFTER, BEFORE

SAID = [
    (words, when) for lists, when in ((BEFORE, "before"), (AFTER, "after")) for of in lists.values() for words in of
]


@pytest.mark.parametrize(("words", "when"), SAID, ids=[f"{when} {n}" for n, (_, when) in enumerate(SAID)])
def test_before_never_becomes_after(words, when):
    for text in (f"T1 {words}", f"{words} Ms Doe T1", f"t1_{words}_4711"):
        said = said_of_contrast(text)
        assert said in (when, "")
        assert said_of_contrast(clean_text(text)) == said


def test_what_is_said_in_a_frame_of_words_is_recognised():
    assert {said_of_contrast(f"T1 {words}") for words, when in SAID if when == "before"} <= {"before", ""}
    assert sum(said_of_contrast(f"T1 {words}") == when for words, when in SAID) >= 0.95 * len(SAID)


def test_studies_are_released_whole_and_recognised_as_before(coarse_dicom, tmp_path):
    """Files written by the same library as ours share its identifier, which is nobody's."""
    given = coarse_dicom / "dicom"
    deidentify_tree((given,), tmp_path / "out", Options())
    count = [len([p for p in place.rglob("*") if p.is_file() and p.suffix not in (".md", ".json")])
             for place in (given, tmp_path / "out")]  # fmt: skip
    assert count[0] == count[1]
    before, after = (take_in(IntakeRequest(inputs=(place,))).patients for place in (given, tmp_path / "out"))
    assert len(before) == len(after) == 1
    assert before[0].digital
    assert after[0].digital
    assert [set(s.files) for s in after[0].studies] == [set(s.files) for s in before[0].studies]
    gaps = [
        [(b.date - a.date).days for a, b in zip(p.studies, p.studies[1:], strict=False)] for p in (before[0], after[0])
    ]
    assert gaps[0] == gaps[1]
    assert [s.date for s in after[0].studies] != [s.date for s in before[0].studies]
