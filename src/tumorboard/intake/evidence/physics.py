"""Signs of what was done to the spins: times, angles, readout, b-values, time points, names of pulse sequences.

Why it exists: descriptions are typed, physics is measured. A series that nulls fluid is a FLAIR whatever
it is called, and one with a short inversion time and a short echo is a T1, even if it is called FLAIR.
"""

from __future__ import annotations

from tumorboard.intake.evidence.facts import any_of, equals, every, missing, no, pulse, says, scans, typed, within
from tumorboard.intake.evidence.row import Row

_EPI = any_of(scans("EP"), pulse(r"ep|re_b|fe_?epi|feepi|dwise|se_epi|dwepi"), says(r"ep2d|epi"), typed("MOSAIC"))
_GRADIENT = any_of(
    scans("GR"),
    every(lambda f: not f.codes, within("flip_deg", 1, 55)),
    pulse(r"tfl|fl[23]d|fi[23]d|t1tfe|t1ffe|ffe|ci3d|swi"),
)
_INVERTED = any_of(scans("IR"), pulse(r"tir|spcir|tfl|ir"), within("ti_ms", 50, 4000))
_NO_TI = missing("ti_ms")
_PLAIN = every(no(_EPI), no(_GRADIENT))
_SHORT_TE = any_of(within("te_ms", 0, 40), missing("te_ms"))

PHYSICS = (
    Row(
        "inversion time",
        every(within("ti_ms", 1500, 2950), within("tr_ms", 3500, 20000), within("te_ms", 60, 700)),
        "FLAIR +6; T1, BB, T2, PD, STIR -3",
        "{ti} at {tr} and {te}: fluid is nulled in a T2 weighting",
    ),
    Row(
        "inversion time",
        every(within("ti_ms", 1500, 2950), within("tr_ms", 3500, 20000), missing("te_ms")),
        "FLAIR +4; T1, BB, T2 -3",
        "{ti} at {tr}: fluid is nulled",
    ),
    Row(
        "inversion time",
        every(within("ti_ms", 1500, 2950), missing("tr_ms"), within("te_ms", 60, 700)),
        "FLAIR +4; T1, BB, T2 -3",
        "{ti} at {te}: fluid is nulled in a T2 weighting",
    ),
    Row(
        "inversion time",
        every(within("ti_ms", 500, 1400), within("tr_ms", 1200, 3600), _SHORT_TE),
        "T1 +5; FLAIR, T2, STIR -4",
        "{ti} at {tr} and {te}: inversion-prepared T1, whatever it is called",
    ),
    Row(
        "inversion time",
        every(within("ti_ms", 250, 1400), within("tr_ms", 3, 20), _SHORT_TE),
        "T1 +5; FLAIR, T2 -4; DCE -1",
        "{ti} at {tr}: inversion-prepared T1 gradient echo",
    ),
    Row(
        "inversion time",
        every(within("ti_ms", 250, 1400), missing("tr_ms"), within("te_ms", 1, 30)),
        "T1 +4; FLAIR, T2 -3",
        "{ti} at {te}: inversion-prepared T1",
    ),
    Row(
        "inversion time",
        every(within("ti_ms", 80, 280), within("tr_ms", 1500, 12000)),
        "STIR +6; T2, FLAIR, T1 -3",
        "{ti}: fat is nulled",
    ),
    Row(
        "inversion time",
        every(within("ti_ms", 1300, 3500), within("te_ms", 5, 40), within("tr_ms", 3000, 9000), no(_GRADIENT)),
        "ASL +3; FLAIR -2",
        "{ti} at {te}: too short an echo for a FLAIR",
    ),
    Row(
        "repetition and echo time",
        every(_PLAIN, _NO_TI, no(_INVERTED), within("tr_ms", 250, 1200), within("te_ms", 1, 40)),
        "T1 +4; T2, FLAIR, STIR -4; PD -2",
        "{tr} and {te}: short repetition and echo, T1",
    ),
    Row(
        "repetition and echo time",
        every(_PLAIN, _NO_TI, no(_INVERTED), within("tr_ms", 1500, 20000), within("te_ms", 60, 700)),
        "T2 +4; T1, BB, PD -4",
        "{tr} and {te} without inversion: T2",
    ),
    Row(
        "inversion",
        every(_PLAIN, _NO_TI, _INVERTED, within("tr_ms", 4000, 20000), within("te_ms", 60, 700)),
        "FLAIR +4; T2 +0.5; T1, BB -3",
        "an inversion pulse at {tr} and {te}: fluid is nulled",
    ),
    Row(
        "inversion",
        every(_PLAIN, _NO_TI, _INVERTED, within("tr_ms", 1200, 3200), within("te_ms", 1, 40)),
        "T1 +3; FLAIR, T2 -3",
        "an inversion pulse at {tr} and {te}: T1",
    ),
    Row(
        "repetition and echo time",
        every(_PLAIN, _NO_TI, no(_INVERTED), within("tr_ms", 1500, 9000), within("te_ms", 1, 42)),
        "PD +4; T2 -1; T1, BB, FLAIR -3",
        "{tr} and {te}: long repetition, short echo, proton density",
    ),
    Row(
        "echo time",
        every(_PLAIN, _NO_TI, no(_INVERTED), missing("tr_ms"), within("te_ms", 70, 700)),
        "T2 +2; T1, BB -3; FLAIR +1",
        "{te}: a long echo",
    ),
    Row(
        "repetition time",
        every(_PLAIN, _NO_TI, no(_INVERTED), missing("te_ms"), within("tr_ms", 250, 1200)),
        "T1 +2; T2, FLAIR -3",
        "{tr}: a short repetition",
    ),
    Row(
        "repetition time",
        every(_PLAIN, _NO_TI, no(_INVERTED), missing("te_ms"), within("tr_ms", 2000, 20000)),
        "T2 +1; PD +0.5; T1, BB -2",
        "{tr}: a long repetition",
    ),
    Row(
        "repetition time",
        every(_NO_TI, within("tr_ms", 7500, 20000), within("te_ms", 60, 200), _PLAIN),
        "FLAIR +1",
        "{tr}: usual for a FLAIR",
    ),
    Row(
        "gradient echo",
        every(_GRADIENT, no(_EPI), _NO_TI, within("tr_ms", 200, 1500), within("te_ms", 10, 45)),
        "T2STAR +5; T1, T2 -3",
        "gradient echo, {tr} and {te}: T2*",
    ),
    Row(
        "gradient echo",
        every(_GRADIENT, no(_EPI), _NO_TI, within("tr_ms", 15, 100), within("te_ms", 10.5, 50)),
        "SWI +4; phase +2; T2STAR +2; T1, angiography -3",
        "gradient echo, {tr} and {te}: susceptibility",
    ),
    Row(
        "gradient echo",
        every(_GRADIENT, no(_EPI), _NO_TI, missing("tr_ms"), within("te_ms", 10.5, 50)),
        "T2STAR, SWI +2; T1, angiography -3",
        "gradient echo, {te}: T2*",
    ),
    Row(
        "gradient echo",
        every(
            _GRADIENT,
            no(_EPI),
            _NO_TI,
            within("tr_ms", 2.5, 14),
            within("te_ms", 0.5, 6.5),
            within("flip_deg", 4, 35),
            equals("acquisition_type", "3D"),
        ),
        "T1 +4; angiography, T2STAR, SWI -2; steady state -1",
        "3-D gradient echo, {tr}, {te}, {flip}: T1",
    ),
    Row(
        "gradient echo",
        every(
            _GRADIENT,
            no(_EPI),
            _NO_TI,
            within("tr_ms", 2.5, 14),
            within("te_ms", 0.5, 6.5),
            within("flip_deg", 40, 90),
            equals("acquisition_type", "3D"),
        ),
        "steady state +4; T1 -2",
        "3-D gradient echo, {tr}, {flip}: balanced steady state",
    ),
    Row(
        "gradient echo",
        every(_GRADIENT, no(_EPI), _NO_TI, within("tr_ms", 14, 60), within("te_ms", 1, 10)),
        "T1 +1; angiography +2; SWI, T2STAR -2",
        "gradient echo, {tr} and {te}: T1 or time of flight",
    ),
    Row(
        "gradient echo",
        every(
            _GRADIENT, no(_EPI), _NO_TI, within("tr_ms", 100, 450), within("te_ms", 1, 7), within("flip_deg", 45, 95)
        ),
        "T1 +4; T2STAR -2",
        "gradient echo, {tr}, {te}, {flip}: T1",
    ),
    Row(
        "gradient echo",
        every(
            _GRADIENT,
            no(_EPI),
            equals("acquisition_type", "2D"),
            within("tr_ms", 2, 90),
            within("te_ms", 0.5, 7),
            within("thickness_mm", 4.5, 12),
        ),
        "localizer +3; T1, angiography -2",
        "2-D gradient echo, {tr}, {thick}: as in a localizer",
    ),
    Row(
        "echo-planar imaging",
        _EPI,
        "T1, BB, T2, FLAIR, PD, STIR, SWI, DCE, steady state, angiography -4; T2STAR -2; DWI, DTI, DSC, BOLD +0.5",
        "echo-planar: not a structural sequence",
    ),
    Row(
        "echo-planar imaging",
        every(
            _EPI,
            any_of(scans("GR"), pulse("epfid|feepi"), every(scans("EP"), no(scans("SE")), within("te_ms", 12, 49))),
            within("flip_deg", 20, 90),
        ),
        "DSC, BOLD +2; diffusion -1",
        "gradient-echo EPI, {tr} and {te}: a dynamic T2* series",
    ),
    Row(
        "echo-planar imaging",
        every(_EPI, any_of(scans("SE"), pulse("ep_b|re_b|dwise|se_epi")), within("te_ms", 50, 130)),
        "DWI +2; DTI +1; ADC, FA +0.5; DSC, BOLD -1",
        "spin-echo EPI, {te}: as for diffusion",
    ),
    Row(
        "echo-planar imaging",
        every(_EPI, within("te_ms", 52, 130)),
        "diffusion +1; DSC, BOLD -1",
        "EPI, {te}: an echo as long as diffusion needs",
    ),
    Row(
        "b-values",
        lambda f: max(f.tags.b_values, default=0) >= 100,
        "DWI +4; DTI +3; structural, DSC, BOLD -4",
        "diffusion weighted by its b-value",
    ),
    Row("b-values", lambda f: f.tags.b_values == (0,), "DWI, DTI +1.5; structural -1", "a b-value is given"),
    Row("gradient directions", within("directions", 6, 10000), "DTI +4; DWI -2", "{directions}"),
    Row(
        "time points",
        every(within("temporal_positions", 15, 10000), _EPI),
        "DSC, BOLD +3; structural, DWI -3",
        "echo-planar with {times}",
    ),
    Row(
        "time points",
        every(within("temporal_positions", 15, 10000), no(_EPI), within("te_ms", 0, 10)),
        "DCE +6; DSC, BOLD -3; T1, angiography -4",
        "{times} at {te}: followed over time in T1",
    ),
    Row(
        "time points",
        every(within("temporal_positions", 15, 10000), no(_EPI), within("te_ms", 12, 60)),
        "DSC, BOLD +3; DCE -3; structural, DWI, DTI -4",
        "{times} at {te}: followed over time in T2*",
    ),
    Row(
        "time points",
        every(within("temporal_positions", 15, 10000), no(_EPI), missing("te_ms")),
        "DSC, BOLD, DCE +2; structural -3",
        "{times}",
    ),
    Row(
        "time points",
        every(_GRADIENT, no(_EPI), within("temporal_positions", 1, 1)),
        "DCE -2",
        "a single time point: nothing is followed",
    ),
    Row("time points", within("temporal_positions", 121, 10000), "BOLD +2; DSC -1", "{times}: more than a bolus needs"),
    Row(
        "echo train",
        every(within("echo_train", 38, 100), equals("acquisition_type", "2D"), within("te_ms", 50, 110), _NO_TI),
        "DWI, DTI +1.5; T2 -1.5",
        "2-D with {train}: as long as in diffusion EPI",
    ),
    Row(
        "slice thickness",
        every(_GRADIENT, within("thickness_mm", 7.5, 250), within("te_ms", 10.5, 50), within("tr_ms", 15, 100)),
        "derived +1.5",
        "{thick}: thicker than it is acquired",
    ),
    Row("repetition time", within("tr_ms", 1, 1400), "T2, FLAIR, PD, STIR -4", "{tr}: too short for a T2 weighting"),
    Row(
        "echo",
        every(scans("SE"), no(scans("GR", "EP"))),
        "T2STAR, SWI, angiography, steady state -4",
        "a spin echo refocuses T2*",
    ),
    Row(
        "gradient echo",
        every(_GRADIENT, no(_EPI), within("te_ms", 0.3, 7)),
        "T2STAR, SWI -3",
        "{te}: too short for T2*",
    ),
    Row(
        "inversion",
        every(_PLAIN, _NO_TI, _INVERTED, within("tr_ms", 2500, 12000), within("te_ms", 15, 75)),
        "STIR +3; FLAIR -1.5",
        "an inversion pulse at {tr} and {te}: fat is nulled",
    ),
    Row(
        "repetition and echo time",
        every(_PLAIN, _NO_TI, no(_INVERTED), within("tr_ms", 350, 1200), within("echo_train", 16, 80)),
        "BB +3",
        "{tr} with {train}: flowing blood is dark in such a T1, as in a black-blood series",
    ),
)
"""Signs of what was done to the spins."""

PULSES = (
    Row(
        "sequence name",
        pulse(r"tfl3d|t1tfe|ffe3d_mp"),
        "T1 +3; FLAIR, T2 -3",
        "prepared 3-D gradient echo by its sequence name",
    ),
    Row(
        "sequence name",
        pulse(r"spcir|fase3d_mpv"),
        "FLAIR +4; T2 -1; T1 -3",
        "3-D spin echo with inversion by its sequence name",
    ),
    Row(
        "sequence name",
        pulse(r"tir2d|fse2d_ir|^tir$"),
        "FLAIR +1; T1, STIR +0.5; T2 -2",
        "turbo spin echo with inversion by its sequence name",
    ),
    Row("sequence name", pulse(r"se2d"), "T1 +1; FLAIR -2", "spin echo by its sequence name"),
    Row(
        "sequence name",
        pulse(r"tse|fse2d|h2d|spc_"),
        "T1, T2, PD +0.5; FLAIR -1",
        "turbo spin echo by its sequence name",
    ),
    Row(
        "sequence name",
        pulse(r"swi3d"),
        "SWI +4; phase, derived +3; T1, angiography -3",
        "susceptibility by its sequence name",
    ),
    Row(
        "sequence name",
        pulse(r"fi[23]d|fi_tof|tof"),
        "angiography +4; T1, DCE -2",
        "time of flight by its sequence name",
    ),
    Row(
        "sequence name",
        pulse(r"ci3d|tfi[23]d|b-?ffe|bffe"),
        "steady state +4; localizer +1; T1, T2 -2",
        "balanced steady state by its sequence name",
    ),
    Row(
        "sequence name",
        pulse(r"ep_b\d|re_b\d|dwise|dwepi"),
        "diffusion +3; DSC, BOLD -3; derived +1",
        "diffusion by its sequence name",
    ),
    Row("sequence name", pulse(r"ep_b\d+#"), "DTI +2; DWI -1", "many directions by its sequence name"),
    Row(
        "sequence name",
        pulse(r"epfid|feepi"),
        "DSC, BOLD +3; CBV, derived +1; diffusion -3",
        "gradient-echo EPI by its sequence name",
    ),
    Row("sequence name", pulse(r"svs|csi|press|steam"), "MRS +8", "spectroscopy by its sequence name"),
    Row("sequence name", pulse(r"pcasl|tgse|asl|tfl_asl"), "ASL +5; DSC -2", "spin labelling by its sequence name"),
)
"""Signs in vendors' names of pulse sequences."""
