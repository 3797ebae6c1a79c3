"""How four vendors acquire each sequence: ranges of the parameters that stand in a header.

Why it exists: recognition has to be tried on headers made from what departments do, so this table is
written from vendors' protocols and knows nothing of :mod:`tumorboard.intake`. Ranges are those in everyday
use at 1.5 T and 3 T; they are for tests, not advice.
"""

from __future__ import annotations

from dataclasses import dataclass

Range = tuple[float, float]
"""Lowest and highest value in use."""


@dataclass(frozen=True)
class Technique:
    """One way in which one or more vendors acquire, or compute, a kind of image.

    Parameters
    ----------
    what : str
        A :class:`~tumorboard.sequences.Sequence` value or a kind that is none.
    name : str
        Key of the technique's names in :mod:`.header_words`.
    vendors : str
        Initials: S, G, P, C.
    scanning, variant : str
        Scanning Sequence and Sequence Variant with backslashes; empty where the tag is not written.
    dims : str
        ``2D`` or ``3D``.
    tr, te, ti, flip, train, thick : tuple of float or None
        Ranges in ms, degrees, echoes and mm; None where the tag is not written.
    image_type : str
        Image Type with backslashes; empty for the vendor's usual one.
    sequence_name : str
        Sequence Name; empty where the vendor writes none.
    times : tuple of float or None
        Range of the number of temporal positions.
    b : tuple of float
        b-values it is acquired with, s/mm².
    """

    what: str
    name: str
    vendors: str
    scanning: str
    variant: str
    dims: str
    tr: Range | None
    te: Range | None
    ti: Range | None
    flip: Range | None
    train: Range | None
    thick: Range
    image_type: str = ""
    sequence_name: str = ""
    times: Range | None = None
    b: tuple[float, ...] = ()

    @property
    def modality(self) -> str:
        """Modality (0008,0060)."""
        return {"CT": "CT", "PET_FET": "PT", "PET_MET": "PT"}.get(self.what, "MR")


_TABLE = r"""
T1,T1C mprage S GR\IR SP\MP 3D 1600-2400 2.2-4.4 800-1100 8-15 1 0.8-1.2 - - *tfl3d1_16ns -
T1,T1C mprage S GR\IR SK\SP\MP 3D 1800-2300 2.2-3.6 850-1100 8-9 1-224 0.8-1.2 - - *tfl3d1_ns -
T1,T1C vibe S GR SP 3D 4-8 1.5-3 - 9-18 1 0.9-1.5 - - *fl3d1_ns -
T1,T1C flash S GR SP 2D 200-320 2.5-5 - 70-90 1 3-5 - - *fl2d1 -
T1,T1C se S SE SP 2D 400-700 7.5-17 - 70-90 1 3-5 - - *se2d1 -
T1,T1C tse S SE SK\SP\OSP 2D 450-900 8-15 - 120-160 2-4 3-5 - - *tse2d1_3 -
T1,T1C tirm S SE\IR SK\SP\MP 2D 1800-2400 9-25 800-950 130-180 5-7 3-5 - - *tir2d1_7 -
T1,T1C space S SE SK\SP\OSP 3D 500-800 7-30 - 120 25-60 0.8-1.2 - - *spc_35ns -
T1,T1C bravo G GR SS\SP\SK 3D 6.5-9.6 2.4-3.9 400-450 10-15 1 1-1.4 - - - -
T1,T1C spgr G GR SS\SP 3D 7.5-35 2-6 - 15-30 1 1.2-2 - - - -
T1,T1C mprage G GR SS\SP\MP 3D 2000-2400 2.8-3.2 900-1000 8 1 0.8-1.2 - - - -
T1,T1C t1flair G SE\IR SK 2D 1700-3200 8-28 700-1250 90-160 6-10 3-5 - - - -
T1,T1C se G SE NONE 2D 400-700 8-20 - 70-90 1 3-5 - - - -
T1,T1C fse G SE SK 2D 450-850 8-18 - 90-160 2-4 3-5 - - - -
T1,T1C cube G SE SK 3D 450-800 10-24 - 90 20-40 0.8-1.2 - - - -
T1,T1C tfe P GR MP 3D 6.5-9.9 2.9-4.6 - 8 180-260 0.8-1.2 - - T1TFE -
T1,T1C ffe P GR SP 3D 10-25 1.9-6 - 20-30 1 1-2 - - T1FFE -
T1,T1C se P SE NONE 2D 400-700 8-15 - 69-90 1 3-5 - - SE -
T1,T1C tse P SE SK 2D 450-800 8-14 - 90 3-6 3-5 - - TSE -
T1,T1C irtse P IR SK 2D 1900-2600 9-20 700-900 90-120 4-7 3-5 - - TIR -
T1,T1C view P SE SK 3D 350-650 16-31 - 80-90 16-40 0.8-1.2 - - TSE -
T1,T1C ffe3d C GR\IR SP\MP 3D 5-7.5 2.2-3.2 800-1000 8-12 - 1-1.4 - - FFE3D_MP -
T1,T1C se C SE NONE 2D 400-650 9-15 - 70-90 1 3-5 - - SE15 -
T1,T1C fse C SE SK 2D 450-800 9-15 - 90 2-4 3-5 - - FSE2D -
T2 tse S SE SK\SP\OSP 2D 3300-7500 80-118 - 120-180 9-26 3-5 - - *tse2d1_18 -
T2 blade S SE SK\SP\OSP 2D 3800-7000 90-130 - 120-160 20-35 3-5 - - *tseR2d1rs29 -
T2 space S SE SK\SP\OSP 3D 2500-3300 350-565 - 120 100-282 0.8-1.2 - - *spc_282ns -
T2 fse G SE SK 2D 2800-7000 84-118 - 90-160 12-26 3-5 - - - -
T2 propeller G SE SK 2D 3800-8500 84-120 - 90-142 20-32 3-5 - - - -
T2 cube G SE SK 3D 2000-3000 60-122 - 90 80-140 1-1.6 - - - -
T2 tse P SE SK 2D 2600-6000 80-110 - 90 12-20 3-5 - - TSE -
T2 view P SE SK 3D 2200-3000 220-350 - 90 100-140 0.8-1.2 - - TSE -
T2 fse C SE SK 2D 3600-7000 84-112 - 90 13-25 3-5 - - FSE2D -
FLAIR tirm S SE\IR SK\SP\MP\OSP 2D 7000-10000 78-125 2200-2550 130-180 14-22 3-5 - - *tir2d1_16 -
FLAIR spaceir S SE\IR SK\SP\MP 3D 4800-7000 330-400 1600-2150 120 200-290 0.8-1.2 - - *spcir_278ns -
FLAIR flair G SE\IR SK 2D 7800-11500 85-165 2000-2700 90-160 12-34 3-5 - - - -
FLAIR cubeir G SE\IR SK 3D 4800-8200 84-150 1500-2250 90 120-210 1-1.6 - - - -
FLAIR flair P IR SK 2D 8000-11000 100-142 2400-2850 90-120 20-40 3-5 - - TIR -
FLAIR viewir P IR SK\MP 3D 4800-8000 260-390 1620-2400 90 110-190 0.8-1.2 - - TIR -
FLAIR flair C SE\IR SK 2D 8000-10500 95-130 2200-2800 90 15-25 3-5 - - FSE2D_IR -
FLAIR viewir C SE\IR SK 3D 5000-7000 270-450 1650-2100 90 100-220 0.8-1.2 - - FASE3D_MPV -
PD pd SGPC SE SK 2D 2000-5500 8-35 - 90-160 4-12 3-5 - - - -
STIR stir SGPC SE\IR SK 2D 3500-7000 30-80 140-220 90-160 6-16 3-4 - - - -
BB bbspace S SE SK\SP\OSP 3D 600-1000 11-30 - 120 25-60 0.8-1.2 - - *spc_40ns -
BB bbcube G SE SK 3D 500-900 11-25 - 90 20-40 0.8-1.2 - - - -
BB bbview P SE SK 3D 450-900 20-35 - 80-90 16-60 0.8-1.2 - - TSE -
BB bbview C SE SK 3D 500-900 15-30 - 90 20-40 0.8-1.2 - - FASE3D -
T2STAR t2star S GR SP 2D 450-950 14-26 - 18-30 1 3-5 - - *fl2d1 -
T2STAR t2star GPC GR NONE 2D 400-900 13-26 - 12-30 1 3-5 - - - -
SWI swi S GR SP\OSP 3D 27-50 19-40 - 12-20 1 1.2-2.5 - - *swi3d1r ORIGINAL\PRIMARY\M\SWI\ND\NORM
SWI swan G GR SS 3D 33-78 20-33 - 10-20 1-7 1.5-3 - - - -
SWI swip P GR SP 3D 28-55 12-30 - 10-20 1-5 1-2.4 - - - -
SWI fsbb C GR SP 3D 27-50 18-40 - 10-20 1 1.2-2.4 - - - -
phase phase S GR SP\OSP 3D 27-50 19-40 - 12-20 1 1.2-2.5 - - *swi3d1r ORIGINAL\PRIMARY\P\ND
phase phase GC GR SS 3D 33-78 20-33 - 10-20 1-7 1.5-3 - - - DERIVED\PRIMARY\PHASE
phase phase P GR SP 3D 28-55 12-30 - 10-20 1-5 1-2.4 - - - ORIGINAL\PRIMARY\PHASE~MAP\P\FFE
derived minip S GR SP\OSP 3D 27-50 19-40 - 12-20 1 8-16 - - *swi3d1r DERIVED\PRIMARY\MNIP\SWI\ND\NORM
derived minip GP GR SS 3D 33-78 20-33 - 10-20 1-7 8-16 - - - DERIVED\SECONDARY\REFORMATTED\MIN~IP
DWI trace S EP SK\SP 2D 3500-8500 54-100 - 90 1 3-5 - 1000 *ep_b1000t DERIVED\PRIMARY\DIFFUSION\TRACEW\ND\NORM
DWI dwi S EP SK\SP 2D 3500-8500 54-100 - 90 1 3-5 - 0,500,1000 *ep_b0 ORIGINAL\PRIMARY\DIFFUSION\NONE\ND\NORM
DWI resolve S EP SK\SP 2D 4000-7500 60-85 - 180 31-65 3-5 - 800,1000 *re_b1000t DERIVED\PRIMARY\DIFFUSION\TRACEW\NORM
DWI dwi G EP\SE NONE 2D 4500-10500 60-105 - 90 1 3-5 - 0,1000 - -
DWI dwi P SE SK 2D 2500-6500 60-95 - 90 41-75 3-5 - 0,1000 DwiSE -
DWI dwi C SE\EP SK 2D 4500-9000 65-105 - 90 32-80 3-5 - 0,1000 SE_EPI -
ADC adc S EP SK\SP 2D 3500-8500 54-100 - 90 1 3-5 - - *ep_b0_1000 DERIVED\PRIMARY\DIFFUSION\ADC\ND\NORM
ADC adc G EP\SE NONE 2D 4500-10500 60-105 - 90 1 3-5 - - - DERIVED\PRIMARY\DIFFUSION\ADC
ADC adc G EP\SE NONE 2D 4500-10500 60-105 - 90 1 3-5 - - - DERIVED\SECONDARY
ADC adc P SE SK 2D 2500-6500 60-95 - 90 41-75 3-5 - - - DERIVED\PRIMARY\ADC\ADC\UNSPECIFIED
ADC adc C SE\EP SK 2D 4500-9000 65-105 - 90 32-80 3-5 - - - DERIVED\SECONDARY\OTHER\ADC
DTI dti S EP SK\SP 2D 3200-10000 70-100 - 90 1 2-2.5 - 1000 *ep_b1000#12 ORIGINAL\PRIMARY\DIFFUSION\NONE\ND\MOSAIC
DTI dti G EP\RM NONE 2D 6000-14000 70-105 - 90 1 2-3 - 1000 - -
DTI dti PC SE SK 2D 5000-11000 70-100 - 90 41-75 2-2.5 - 800,1000 - -
FA fa S EP SK\SP 2D 3200-10000 70-100 - 90 1 2-2.5 - - *ep_b0_1000 DERIVED\PRIMARY\DIFFUSION\FA\ND\NORM
FA fa GPC EP\SE SK 2D 5000-11000 70-105 - 90 1 2-2.5 - - - DERIVED\SECONDARY
derived eadc SGPC EP\SE SK 2D 4500-9000 60-105 - 90 1 3-5 - - - DERIVED\PRIMARY\DIFFUSION\EXP
derived tensor S EP SK\SP 2D 3200-10000 70-100 - 90 1 2-2.5 - - *ep_b1000#1 DERIVED\PRIMARY\DIFFUSION\TENSOR\ND
DSC dsc S EP SK 2D 1300-2200 25-47 - 60-90 1 3-5 - - *epfid2d1_128 ORIGINAL\PRIMARY\M\ND\NORM
DSC dsc GC EP\GR SS 2D 1200-2200 20-45 - 60-90 1 3-5 40-100 - - -
DSC dsc P GR SK 2D 1200-2000 20-45 - 40-90 37-61 3-5 35-80 - FEEPI -
CBV cbv S EP SK 2D 1300-2200 25-47 - 60-90 1 3-5 - - *epfid2d1_128 DERIVED\PRIMARY\PERFUSION\RELCBV\ND
CBV cbv GPC EP SS 2D 1200-2200 20-45 - 60-90 1 3-5 - - - DERIVED\SECONDARY
derived perfmap S EP SK 2D 1300-2200 25-47 - 60-90 1 3-5 - - *epfid2d1_128 DERIVED\PRIMARY\PERFUSION\RELMTT\ND
derived perfmap GPC EP SS 2D 1200-2200 20-45 - 60-90 1 3-5 - - - DERIVED\SECONDARY
DCE dce S GR SP 3D 3-6 0.9-2.2 - 10-30 1 2-5 30-80 - *fl3d1 -
DCE dce GPC GR SS 3D 2.8-6.5 0.8-2.4 - 10-30 1 2-5 30-100 - - -
KTRANS ktrans SGPC GR SP 3D 2.8-6.5 0.8-2.4 - 10-30 1 2-5 - - - DERIVED\SECONDARY
BOLD bold S EP SK 2D 700-3200 25-42 - 50-90 1 2-4 - - *epfid2d1_64 ORIGINAL\PRIMARY\M\ND\MOSAIC
BOLD bold GPC EP\GR SS 2D 1500-3200 25-42 - 60-90 1 2.5-4 90-320 - - -
ASL asl SGPC SE SK 3D 3800-5200 9-22 1500-2100 90-180 8-24 3-6 - - - -
MRS mrs SGPC - - - 1500-2200 28-145 - 90 - 10-30 - - - ORIGINAL\PRIMARY\SPECTROSCOPY\NONE
SUB sub S GR\IR SP\MP 3D 1600-2400 2.2-4.4 800-1100 8-15 1 0.8-1.2 - - *tfl3d1_16ns DERIVED\PRIMARY\M\ND\SUB
SUB sub GPC SE SK 2D 400-800 8-20 - 70-90 1-4 3-5 - - - DERIVED\SECONDARY\SUBTRACT
SUB sub SGPC SE SK 2D 400-800 8-20 - 70-90 1-4 3-5 - - - DERIVED\SECONDARY\OTHER
derived mpr S GR\IR SP\MP 3D 1600-2400 2.2-4.4 800-1100 8-15 1 1-5 - - *tfl3d1_16ns DERIVED\SECONDARY\MPR\CSA~MPR\M
derived mpr G GR SS\SP\SK 3D 6.5-9.6 2.4-3.9 400-450 10-15 1 1-5 - - - DERIVED\SECONDARY\REFORMATTED\AVERAGE
derived mpr P GR MP 3D 6.5-9.9 2.9-4.6 - 8 180-260 1-5 - - T1TFE DERIVED\SECONDARY\MPR
derived mpr C SE\IR SK 3D 5000-7000 270-450 1650-2100 90 100-220 1-5 - - - DERIVED\SECONDARY\MPR
derived mip S GR SP 3D 20-26 3.4-7 - 15-25 1 5-200 - - - DERIVED\SECONDARY\PROJECTION~IMAGE\MIP\CSA~MIP
derived mip GPC GR SP 3D 20-30 2.4-7 - 15-25 1 5-200 - - - DERIVED\SECONDARY\PROJECTION~IMAGE\COLLAPSE
angiography tof S GR SP 3D 20-26 3.4-7 - 15-25 1 0.5-0.8 - - *fi3d3 -
angiography tof GPC GR SS 3D 20-30 2.4-7 - 15-25 1 0.6-1.4 - - - -
angiography mrv SGPC GR SP 2D 20-60 4-9 - 10-60 1 1-3 - - - -
steady~state ciss S GR SS\SP\OSP 3D 5-8 2.2-3.2 - 50-70 1 0.5-0.8 - - *ci3d3 -
steady~state ciss GPC GR SS 3D 4.5-8 1.6-3.2 - 45-65 1 0.5-1 - - - -
localizer localizer S GR SP 2D 3-20 1.5-5 - 20-40 1 5-10 - - *fl2d1 ORIGINAL\PRIMARY\M\ND\NORM
localizer localizer GPC GR SS 2D 3-80 1.3-6 - 15-50 1 5-10 - - - -
not~brain spine_t1 SGPC SE SK 2D 450-800 8-15 - 90-160 2-4 3-4 - - - -
not~brain spine_t2 SGPC SE SK 2D 2600-5000 80-120 - 90-160 10-24 3-4 - - - -
secondary~capture capture SGPC - - - - - - - - 1-5 - - - DERIVED\SECONDARY\SCREEN~SAVE
CT ct SGPC - - - - - - - - 0.6-5 - - - ORIGINAL\PRIMARY\AXIAL
PET_FET fet SGPC - - - - - - - - 2-4 - - - ORIGINAL\PRIMARY
PET_MET met SGPC - - - - - - - - 2-4 - - - ORIGINAL\PRIMARY
"""
# What, technique, vendors, scanning, variant, dimensions; TR, TE, TI, flip, train, thickness; times, b; sequence name,
# image type. A range is two numbers with a dash; a dash alone is a tag that is not written; ~ is a space.


def _range(cell: str) -> Range | None:
    if cell == "-":
        return None
    low, _, high = cell.partition("-")
    return float(low), float(high or low)


def _techniques(line: str) -> tuple[Technique, ...]:
    """Read one line of the table: one technique for each kind that it names."""
    what, name, vendors, *texts = line.split()
    scanning, variant, dims = ("" if cell == "-" else cell for cell in texts[:3])
    tr, te, ti, flip, train, thick, times = (_range(cell) for cell in texts[3:10])
    b = () if texts[10] == "-" else tuple(float(value) for value in texts[10].split(","))
    sequence, image_type = ("" if cell == "-" else cell for cell in texts[11:])
    return tuple(
        Technique(
            kind.replace("~", " "), name, vendors, scanning, variant, dims,
            tr, te, ti, flip, train, thick or (1.0, 1.0),
            image_type=image_type.replace("~", " "), sequence_name=sequence, times=times, b=b,
        )
        for kind in what.split(",")
    )  # fmt: skip


TECHNIQUES: tuple[Technique, ...] = tuple(t for line in _TABLE.split("\n") if line for t in _techniques(line))
"""Every technique; several for most kinds."""
