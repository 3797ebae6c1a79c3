"""Signs in what the series is called, in several languages.

Why it exists: words decide where physics cannot (a SWI from its magnitude, a black-blood T1 from another
T1), and where its tags were removed. A word is matched whole, without accents and in lower case.
"""

from __future__ import annotations

from tumorboard.intake.evidence.facts import any_of, every, no, says, typed
from tumorboard.intake.evidence.row import Row

_T1_SAID = says(r"t1|mprage|bravo|f?spgr|vibe|mpr ns|tfl|tfe")

WORDS = (
    Row(
        "description",
        every(says(r"flair|fla|dark fluid|darkfluid|da fl"), no(says(r"t1|stir"))),
        "FLAIR +4; T2 -1; T1, BB -1",
        "a word for FLAIR",
    ),
    Row(
        "description",
        every(says(r"flair|tirm|dark fluid|darkfluid"), says(r"t1")),
        "T1 +3",
        "the words T1 FLAIR, which is a T1",
    ),
    Row(
        "description",
        every(
            says(r"t2"),
            no(says(r"flair|fla|tirm|dark fluid|darkfluid|da fl|star|swi\w*|hemo|gre|ffe|fl2d|fl3d|stir|perf\w*")),
        ),
        "T2 +3; T1 -1.5",
        "the word T2",
    ),
    Row(
        "description",
        every(_T1_SAID, no(says(r"star(?! vibe)|t2"))),
        "T1 +2.5; T2, FLAIR -1.5; DCE +0.5",
        "a word for T1",
    ),
    Row(
        "description",
        says(r"mprage|bravo|f?spgr|vibe|t1w? (3d )?ffe|tfe|flash"),
        "T1 +1.5; angiography -1",
        "a word for a T1 gradient echo",
    ),
    Row("description", says(r"pdw?|pd tse|proton"), "PD +4; T2 -1", "a word for proton density"),
    Row("description", every(says(r"tirm"), no(says(r"t1|dark fluid"))), "FLAIR, STIR +2", "the word TIRM"),
    Row("description", says(r"stir"), "STIR +5; T2, FLAIR -1", "the word STIR"),
    Row(
        "description",
        every(says(r"bb|black blood|dark blood|blackblood|msde|dante|motionsensitized"), no(says(r"fsbb"))),
        "BB +9; T1, DSC -4",
        "a word for black blood",
    ),
    Row(
        "description",
        says(r"t2 star|t2star|t2 (?:\w+ )?(?:gre|ffe|fl2d)|gre (?:\w+ )?t2|hemo|haemo|gradient echo"),
        "T2STAR +4; T2 -2; SWI -0.5",
        "a word for T2*",
    ),
    Row("description", says(r"gre"), "T2STAR +1.5", "the word GRE"),
    Row(
        "description",
        says(r"swi\w*|swan|swip|ven bold|venbold|fsbb|susc\w*"),
        "SWI +5; T2STAR, T2, BOLD -1",
        "a word for susceptibility",
    ),
    Row("description", says(r"mag images"), "T2STAR +2; SWI +1", "magnitude of a susceptibility series"),
    Row(
        "description", every(says(r"pha|phase|filt pha"), no(says(r"arterial|venous"))), "phase +9", "a word for phase"
    ),
    Row("description", says(r"field ?map(?:ping)?|b0 map|gre field"), "phase +8", "a word for a field map"),
    Row("description", says(r"m ?ip|minip|mip images|min ip|mini?mum ip"), "derived +10", "a word for a projection"),
    Row("description", says(r"col|pjn|collapsed?"), "derived +6", "a word for a projection"),
    Row(
        "description",
        every(says(r"mpr|reformat\w*|refmt|ref|recon|mpv"), any_of(typed("DERIVED"), no(_T1_SAID))),
        "derived +6",
        "a word for a reformatted image",
    ),
    Row(
        "description",
        says(r"dwi|diff|diffusion\w*|difusion|difusao|diffusie|trace|tracew|isodwi|b1000|b800|resolve|dw"),
        "DWI +4; DTI, ADC +1; structural -2",
        "a word for diffusion",
    ),
    Row(
        "description",
        says(r"dti|mddw|tensor|directions|\d+ ?dir"),
        "DTI +5; FA, derived +1; DWI -3; structural -1",
        "a word for diffusion tensor",
    ),
    Row(
        "description",
        every(says(r"d?adc|isoadc|apparent diffusion\w*"), no(says(r"eadc|exp\w*"))),
        "ADC +11; DWI, DTI, T2 -2",
        "a word for the diffusion coefficient",
    ),
    Row(
        "description",
        says(r"eadc|exp adc|exponential\w*"),
        "derived +14; ADC -2",
        "a word for the exponential diffusion map",
    ),
    Row("description", says(r"fa|fractional ani?s\w*"), "FA +11; DTI, DWI -2", "a word for fractional anisotropy"),
    Row("description", says(r"colfa|color fa|colou?r fa"), "derived +8; FA -2", "a word for a coloured map"),
    Row(
        "description",
        every(says(r"dsc|perf|perfusion\w*|perfusie|pwi|pwi\w*"), no(says(r"p?casl|asl|dce|t1|dynamic|spin label\w*"))),
        "DSC +4; CBV +1; DCE +1; BOLD, DWI -2",
        "a word for perfusion",
    ),
    Row("description", says(r"dce|dynamic|twist|permeability"), "DCE +8; T1, DSC -2", "a word for dynamic contrast"),
    Row("description", says(r"n?r?(?:el)?cbv|corrected cbv|leakage"), "CBV +12; DSC -3", "a word for blood volume"),
    Row(
        "description",
        says(r"(?:rel|r)?cbf|(?:rel|r)?mtt|ttp|tmax|pbp|gbp"),
        "derived +10; DSC -3",
        "a word for a perfusion map that is not used",
    ),
    Row("description", says(r"k ?trans"), "KTRANS +14; DCE -3", "a word for the transfer constant"),
    Row(
        "description",
        every(says(r"bold|f ?mri|fc ?mri|rs fmri|resting|finger|motor|language|epibold"), no(says(r"ven"))),
        "BOLD +5; DSC -2",
        "a word for functional MRI",
    ),
    Row("description", says(r"p?c?asl|spin label\w*"), "ASL +8; DSC, FLAIR, DCE -2", "a word for spin labelling"),
    Row(
        "description",
        says(r"mrs|svs\w*|csi\w*|probe|press|spectro\w*|mrsi"),
        "MRS +8; T1, T2 -1",
        "a word for spectroscopy",
    ),
    Row(
        "description",
        every(says(r"sub|subtr\w*|soustraction|subtraktion|sottrazione|resta|minus"), no(says(r"substance"))),
        "SUB +14; T1 -2",
        "a word for subtraction",
    ),
    Row(
        "description",
        says(r"tof|mra|mrv|angio\w*|venogram\w*|phlebo\w*|pc3d|venous|willis|s3di\w*|arterial"),
        "angiography +8; T1 -1",
        "a word for an angiogram",
    ),
    Row(
        "description",
        says(r"ciss|fiesta|fiesta c|b ?ffe|bffe|ci3d|drive|trufi|ssfp"),
        "steady state +7; T2, T1 -2",
        "a word for balanced steady state",
    ),
    Row(
        "description",
        says(
            r"locali[sz]er\w*|localizador|localizzatore|loc|scout|survey|scanogram|reperage|planung|uebersicht|"
            r"ubersicht|centratura|planscan|3 plane|aahead\w*"
        ),
        "localizer +12",
        "a word for a localizer",
    ),
    Row(
        "description",
        says(
            r"spine|cervical\w*|thoracic|lumb\w*|lomb\w*|hws|bws|lws|ws|rachis|rachide|columna|colonna|coluna|wirbelsaule|wirbelsaeule|wervelkolom|lwk|cwk|wk|dorsal|sacrum|myelo\w*"
        ),
        "not brain +12",
        "a word for the spine",
    ),
    Row(
        "description",
        says(r"knee|shoulder|abdomen|pelvis|neck|hals|prostat\w*|breast|liver|heart|cardiac"),
        "not brain +6",
        "a word for another part of the body",
    ),
    Row(
        "description",
        says(r"screen ?(?:save|shot)|capture|key images?|3d saved|results"),
        "secondary capture +6",
        "a word for a screen shot",
    ),
    Row(
        "description",
        says(r"(?:t1|t2|pd|b0) ?map|mapit|unit1|synthetic|symri|magic"),
        "derived +8",
        "a word for a computed map",
    ),
)
"""Signs in what the series is called."""
