"""Names: every convention, traps that would put a wrong sequence in its place, and what may be shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorboard.intake.identity import identify
from tumorboard.intake.names import RULES, recognise
from tumorboard.intake.redact import shown_name
from tumorboard.intake.vocabulary import EXTENSION, WORDS, words
from tumorboard.sequences import SPELLINGS, Sequence

REAL = {
    "BraTS-GLI-00001-000-t1n.nii.gz": "T1",
    "BraTS-GLI-00001-000-t1c.nii.gz": "T1C",
    "BraTS-GLI-00001-000-t2w.nii.gz": "T2",
    "BraTS-GLI-00001-000-t2f.nii.gz": "FLAIR",
    "autoseg-brats23-rank1.nii.gz": None,
    "BraTS-MET-00110-000-t1c.nii.gz": "T1C",
    "Brats18_2013_21_1_flair.nii.gz": "FLAIR",
    "Brats18_2013_21_1_t1.nii.gz": "T1",
    "Brats18_2013_21_1_t1ce.nii.gz": "T1C",
    "Brats18_2013_21_1_t2.nii.gz": "T2",
    "Brats18_2013_21_1_seg.nii.gz": None,
    "FLAIR.nii.gz": "FLAIR",
    "T1.nii.gz": "T1",
    "GT_W.nii.gz": None,
    "MRHR_FLAIR_AX_OtherEXampleTCIA_TCGA-FG-6692_Si_TCGA-FG-6692_MRHR_FLAIR_AX_SE_IR_5_tir2d1_21_fla.nii.gz": "FLAIR",
    "MRHR_T2_AX_OtherEXampleTCIA_TCGA-FG-6692_Si_TCGA-FG-6692_MRHR_T2_AX_SE_2_tse2d1_11_t2.nii.gz": "T2",
    "MRHR_T1_AX_POST_GAD_OtherEXampleTCIA_TCGA-FG-6692_Si_TCGA-FG-6692_MRHR_T1_AX_POST_GAD_SE_13_se2d1r_t1c.nii.gz": (
        "T1C"
    ),
    "T1_AX_OtherEXampleTCIA_TCGA-FG-6692_Si_TCGA-FG-6692_T1_AX_SE_10_se2d1_t1.nii.gz": "T1",
    "brain-mask-on-t1c.nii.gz": None,
}

LAYOUTS = {
    "sub-01_T1w.nii.gz": "T1",
    "sub-01_ses-02_ce-gadolinium_T1w.nii.gz": "T1C",
    "sub-01_acq-mprage_ce-Gd_run-02_T1w.nii": "T1C",
    "sub-01_acq-postGd_T1w.nii": "T1C",
    "sub-01_ce-none_T1w.nii": "T1",
    "sub-01_T2w.nii": "T2",
    "sub-01_space-T2w_FLAIR.nii": "FLAIR",
    "sub-T2_T1w.nii": "T1",
    "sub-flair_ses-post_T1w.nii": "T1",
    "sub-01_space-T1w_desc-brain_mask.nii.gz": None,
    "sub-01_dseg.nii.gz": None,
    "sub-01_label-GM_probseg.nii.gz": None,
    "sub-01_task-rest_bold.nii.gz": None,
    "sub-01_T2starw.nii": None,
    "sub-01_T1map.nii": None,
    "sub-01_PDw.nii": None,
    "sub-01_part-phase_T1w.nii": None,
    "sub-01-t1.nii.gz": "T1",
    "BraTS20_Training_001_t1ce.nii": "T1C",
    "BraTS2021_00000_flair.nii.gz": "FLAIR",
    "Brats17_TCIA_101_1_t2.nii.gz": "T2",
    "BraTS-GLI-02062-100-t1n.nii.gz": "T1",
    "BraTS-MEN-RT-0001-1_t1c.nii.gz": "T1C",
    "BraTS-GLI-00001-000-seg.nii.gz": None,
    "VSD.Brain.XX.O.MR_T1c.54514.mha": "T1C",
    "VSD.Brain.XX.O.MR_T1.54513.mha": "T1",
    "VSD.Brain.XX.O.MR_Flair.54512.mha": "FLAIR",
    "VSD.Brain.XX.O.MR_T2.54515.mha": "T2",
    "VSD.Brain_3more.XX.O.OT.54517.mha": None,
    "BRATS_HG0001_T1C.mha": "T1C",
    "BRATS_HG0001_truth.mha": None,
    "UCSF-PDGM-0004_T1c_bias.nii.gz": "T1C",
    "UCSF-PDGM-0004_DTI_eddy_FA.nii.gz": None,
    "UPENN-GBM-00001_11_T1GD.nii.gz": "T1C",
}

LOOSE = {
    "T1 AX POST GAD.nii": "T1C",
    "t1_post.nii": "T1C",
    "t1+c.nii": "T1C",
    "T1_C+_sag.nii": "T1C",
    "T1_C-_sag.nii": "T1",
    "AXT1POST.nii": "T1C",
    "T1Gd.nrrd": "T1C",
    "t1 mit KM.nii": "T1C",
    "t1_ohne_KM.nii": "T1",
    "T1_pre_contrast.nii": "T1",
    "T1_non_contrast.nii": "T1",
    "T1 w/o contrast.nii": "T1",
    "T1c_native.nii": "T1C",
    "km.nii": "T1C",
    "gad.nii": "T1C",
    "Sag_MPRAGE_Gd.nii": "T1C",
    "Sag_MPRAGE.nii": "T1",
    "mprage_w_wo_contrast.nii": "T1",
    "AX_T1_w_and_wo_contrast_POST.nii": "T1C",
    "T1_post_op.nii": "T1",
    "T1_postop_gd.nii": "T1C",
    "T2_FLAIR.nii": "FLAIR",
    "T2Flair.nii": "FLAIR",
    "T2_FLAIR_post_gad.nii": "FLAIR",
    "t2_tirm_tra_dark-fluid.nii": "FLAIR",
    "T1_FLAIR.nii": "T1",
    "T1_FLAIR_gad.nii": "T1C",
    "T2_post_gad.nii": "T2",
    "flair_to_t1c.nii": "FLAIR",
    "T2_in_T1_space.nii": "T2",
    "t1_post_minus_pre_sub.nii": None,
    "t1_pre_post.nii": None,
    "T1_T2.nii": None,
    "PD_T2.nii": None,
    "T2*_GRE.nii": None,
    "t2star.nii": None,
    "T2_swi.nii": None,
    "ADC.nii": None,
    "t1_starvibe_gd.nii": "T1C",
    "t1_star_vibe.nii": "T1",
    "sub_01_T1.nii": "T1",
    "T1_sub_2.nii": None,
    "SUB T1 post.nii": None,
    "LowField_T1.nii": "T1",
    "t1_bias_field.nii": None,
    "dwi_t2_b0.nii": None,
    "dsc_perf_gad.nii": None,
    "t1_mask.nii": None,
    "T12_spine.nii": None,
    "IMG0001.nii": None,
    "Äußere Höhle_T1.nii": "T1",
}


@pytest.mark.parametrize(("name", "sequence"), [*REAL.items(), *LAYOUTS.items(), *LOOSE.items()])
def test_name_speaks_of_its_sequence(name: str, sequence: str | None):
    assert recognise(name).sequence == sequence


@pytest.mark.parametrize("name", [n for n, s in REAL.items() if s is None])
def test_skipped_file_says_why(name: str):
    assert recognise(name).reason not in ("", "no sequence recognised in its name")


def test_every_rule_decides_something():
    """A rule that no name above reaches would be dead, or its words would not be tested."""
    names = [*REAL, *LAYOUTS, *LOOSE]
    names += ["localizer.nii", "tof_mra.nii", "mrs.nii", "head_ct.nii", "t1_mip.nii"]
    reached = {recognise(name).reason.split(": ")[-1] for name in names}
    assert {rule.reason for _, rule in RULES} <= reached


SPELLED = [(s, n) for n, spellings in SPELLINGS.items() for s in sorted(spellings)]
CASES = st.sampled_from([str.lower, str.upper, str.capitalize, str.title])
SEPARATORS = st.sampled_from(["_", "-", " ", ".", "__", " - "])


@given(st.sampled_from(SPELLED), CASES, SEPARATORS, st.sampled_from(["DOE", "case", "MR", "Müller", ""]))
def test_accepted_spelling_is_recognised_in_any_case_and_company(spelled, case, separator, beside):
    spelling, sequence = spelled
    name = separator.join(part for part in (beside, case(spelling)) if part)
    assert recognise(f"{name}.nii.gz").sequence is sequence


@given(
    st.permutations(["t1", "post", "gad", "ax"]),
    SEPARATORS,
    st.lists(CASES, min_size=4, max_size=4),
)
def test_order_and_case_of_words_do_not_matter_for_contrast(parts, separator, cases):
    name = separator.join(case(part) for part, case in zip(parts, cases, strict=True))
    assert recognise(name).sequence is Sequence.T1C


@given(st.lists(st.sampled_from(["t1", "ax", "3d", "mprage", "7", "brain"]), min_size=1, max_size=5), SEPARATORS)
def test_without_a_word_for_contrast_there_is_never_a_t1c(parts, separator):
    assert recognise(separator.join(parts)).sequence in (Sequence.T1, None)


@given(st.text(max_size=40))
def test_any_text_is_recognised_or_skipped_with_a_reason(text: str):
    found = recognise(text)
    assert found.reason
    assert all(word == word.lower() for word in words(text) if word.isascii())


@pytest.mark.parametrize(
    ("name", "patient", "session"),
    [
        ("BraTS-GLI-00001-001-t1n", "BraTS-GLI-00001", "001"),
        ("Brats18_TCIA01_147_1_t1", "Brats18_TCIA01_147_1", ""),
        ("BraTS19_TMC_06290_1_t2", "BraTS19_TMC_06290_1", ""),
        ("brats_tcia_pat118_0102", "brats_tcia_pat118", "0102"),
        ("sub-01_ses-post_T1w", "01", "post"),
        ("sub-A-1_T1w", "A-1", ""),
        ("sub-A-2_T1w", "A-2", ""),
    ],
)
def test_identity(name: str, patient: str, session: str):
    found = identify(name)
    assert found is not None
    assert (found.patient, found.session) == (patient, session)


@pytest.mark.parametrize("name", ["Brats18_DOE_JOHN_1_t1", "submarine_T1", "brats18-flair-t1", "case_0"])
def test_a_name_outside_the_table_is_nobody(name: str):
    assert identify(name) is None


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("DOE_JOHN_1961-03-04_T1_post.nii.gz", "*_T1_post.nii.gz"),
        ("DoeJohn_19610304_FLAIR.nii", "*_FLAIR.nii"),
        ("04.03.1961 Müller T2.nii", "* T2.nii"),
        ("T1_12345678_gad.mha", "T1_*_gad.mha"),
        ("T1_1234_1961.nii", "T1_*.nii"),
        ("sub-01_ses-02_run-01_T1w.nii.gz", "sub-01_ses-02_run-01_T1w.nii.gz"),
        ("sub-19610304_T1w.nii.gz", "sub-*_T1w.nii.gz"),
        ("Brats18_2013_21_1_t1ce.nii.gz", "Brats18_2013_21_1_t1ce.nii.gz"),
        ("BraTS-GLI-00001-000-DOE-t1c.nii.gz", "BraTS-GLI-00001-000-*-t1c.nii.gz"),
        ("JOHN.txt", "*"),
        ("/home/doe/T1.nii", "T1.nii"),
        ("T1Doe.nii", "*.nii"),
        ("T1\x1b[31m\nflair.nii", "T1__*_flair.nii"),
        ("T2*_GRE.nii", "T2*_GRE.nii"),
    ],
)
def test_shown_name(name: str, shown: str):
    assert shown_name(name) == shown


NAMES = st.text(st.characters(categories=["Lu", "Ll", "Nd"]), min_size=2, max_size=12).filter(
    lambda t: (
        not set(words(t)) <= WORDS
        and not words(t)[0].startswith(("tir", "tse", "se", "fl", "gre", "spc", "ir", "epfid"))
    )
)


@given(NAMES, st.sampled_from(["_", "-", " ", "."]), st.sampled_from(["T1_post", "FLAIR", "ax t2"]))
def test_a_name_is_never_shown(person: str, separator: str, sequence: str):
    shown = shown_name(f"{person}{separator}{sequence}.nii.gz")
    assert shown == f"*{separator}{sequence}.nii.gz"


@given(st.dates(), st.sampled_from(["%Y-%m-%d", "%Y%m%d", "%d.%m.%Y", "%Y_%m_%d", "%d-%m-%Y"]))
def test_a_date_is_never_shown(date, form: str):
    written = f"{date.year:04d}".join(date.strftime(form.replace("%Y", "\0")).split("\0"))
    assert not any(c.isdigit() for c in EXTENSION.sub("", shown_name(f"FLAIR_{written}.nii.gz")))
