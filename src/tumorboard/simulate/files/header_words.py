"""What departments call their series: technique by vendor, plane, and contrast in seven languages.

Why it exists: descriptions are typed by people, shortened, translated and forgotten. These are written
from protocol trees, not from the vocabulary that recognition reads. No text here is of a person.
"""

from __future__ import annotations

LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl")
"""Languages a description may be drawn in."""

PLANES: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "en": (("Ax", "AX", "tra", "axial", ""), ("Sag", "SAG", "sag"), ("Cor", "COR", "cor")),
    "de": (("tra", "transversal", "axial", "ax", ""), ("sag", "sagittal"), ("cor", "coronar", "koronar")),
    "fr": (("ax", "AXIAL", "transverse", "axiale", ""), ("sag", "SAGITTAL"), ("cor", "coronal", "frontal")),
    "es": (("ax", "AXIAL", "tra", ""), ("sag", "SAGITAL"), ("cor", "CORONAL")),
    "it": (("ax", "assiale", "tra", ""), ("sag", "sagittale"), ("cor", "coronale")),
    "pt": (("ax", "AXIAL", "tra", ""), ("sag", "SAGITAL"), ("cor", "CORONAL")),
    "nl": (("tra", "axiaal", "ax", ""), ("sag", "sagittaal"), ("cor", "coronaal")),
}
"""Words for transverse, sagittal and coronal."""


def _lists(text: str) -> dict[str, tuple[str, ...]]:
    """Read ``key: one | two``; a line that begins with spaces goes on with the one before."""
    lines = text.replace("\n    ", " ").strip().split("\n")
    return {line.partition(":")[0]: tuple(t.strip() for t in line.partition(":")[2].split("|")) for line in lines}


AFTER = _lists("""
en: POST | +C | GAD | POST GAD | post contrast | C+ | +Gd | CE | w contrast | WITH GADOLINIUM | POST-GADO
de: KM | nach KM | +KM | post KM | mit KM | m. KM | Gd | post Kontrast | nach Gd | + Gado
fr: GADO | apres injection | après gado | + gado | post injection | injecté | avec injection | GADO+ | apres IV
es: con contraste | post contraste | C/C | gadolinio | CIV | con gado | + contraste | post gad | con civ
it: mdc | m.d.c. | dopo mdc | con mdc | post mdc | +mdc | con gado | post contrasto | dopo contrasto
pt: pos contraste | pós gd | com contraste | pós-gadolínio | GADO | C/ contraste | pos gado | + gd
nl: na contrast | met contrast | na gado | + gado | post contrast | na Gd | met gadolinium
""")
"""How a series after contrast agent is called."""

BEFORE = _lists("""
en: PRE | pre contrast | w/o | non con | C- | without contrast | PRE GAD | noncontrast
de: nativ | ohne KM | vor KM | o. KM | NATIV | prä KM
fr: sans injection | avant injection | sans gado | SANS IV | sans contraste | natif
es: sin contraste | simple | pre contraste | S/C | sin gado | basal
it: senza mdc | basale | pre mdc | s/mdc | senza contrasto | diretto
pt: sem contraste | pré contraste | pre gd | S/ contraste | sem gado
nl: zonder contrast | blanco | voor contrast | zonder gado | voor gado
""")
"""How a series before contrast agent is called, where the difference is spelled out."""

AGENTS = (
    *("Gadovist", "GADOVIST", "Dotarem", "10 ml Dotarem", "MULTIHANCE", "ProHance", "Clariscan 15ml", "GADOTERATE"),
    *("CE", "Gd", "yes", "IV", "KM"),
)
"""What is typed into Contrast/Bolus Agent."""

NAMES = _lists("""
mprage: t1_mprage_{sag}_p2_iso | t1_mpr_{sag}_iso | {Sag} MPRAGE | T1 MPRAGE {tra} | MPRAGE | 3D MPRAGE |
    t1_mprage_{tra}_1mm
vibe: t1_vibe_{tra} | t1 vibe {tra} fs | VIBE 3D {tra} | t1_starvibe_{tra}
flash: t1_fl2d_{tra} | T1 FLASH {cor} | t1_fl2d_{sag}
se: {tra} T1 | T1 SE {tra} | t1_se_{tra} | {cor} T1 SE | T1W_SE {tra} | T1 {sag}
tse: {w}_tse_{tra} | {W} TSE {tra} | {W}W_TSE {tra} | {W} {tra} | {w}_tse_{cor}_fs | {W} TSE {sag} p2
fse: {tra} {W} FSE | {tra} {W} | {W} FSE {cor} | {tra} {W} FrFSE | {W} {sag} FSE FS
tirm: {w}_tirm_{tra}_dark-fluid | {w} tirm dark fluid {tra} | {W} FLAIR {tra} | {w}_tirm_{cor}_dark-fluid
space: {w}_space_{sag}_p2_iso | {w}_spc_{sag}_iso_1.0 | {W} SPACE {sag} | 3D {W} SPACE
spaceir: t2_space_dark-fluid_{sag}_p2_iso | t2_spc_da-fl_{sag}_iso | FLAIR SPACE {sag} | 3D FLAIR |
    t2_space_flair_{sag}
bravo: {Ax} BRAVO | {tra} T1 BRAVO | 3D T1 BRAVO | Sag T1 BRAVO 1mm | {tra} 3D BRAVO
spgr: {Ax} 3D SPGR | {tra} FSPGR 3D | T1 3D SPGR | {tra} T1 FSPGR | {Ax} IR-SPGR
t1flair: {tra} T1 FLAIR | T1 FLAIR {sag} | {Ax} T1FLAIR | T1 FLAIR {cor} FS
cube: {W} CUBE {sag} | {sag} {W} CUBE | 3D {W} CUBE | {Sag} CUBE {W}
cubeir: {sag} T2 FLAIR CUBE | CUBE FLAIR | {Sag} CUBE T2 FLAIR | 3D FLAIR CUBE
tfe: T1W_3D_TFE | sT1W_3D_TFE | 3D T1 TFE {tra} | T1 3D TFE {sag} | T1_3D_TFE_{sag} iso
ffe: T1W_3D_FFE | T1 FFE {tra} | 3D T1 FFE | T1W_FFE {tra}
irtse: T1W_IR_TSE {tra} | T1 IR {tra} | T1W_IR
view: {W}W_3D_VIEW | {W} VISTA {sag} | 3D_{W}_VIEW {sag} | {W} 3D TSE VISTA
viewir: 3D FLAIR {sag} | VISTA FLAIR | 3D_Brain_VIEW_FLAIR | FLAIR 3D VISTA {sag} | sFLAIR_3D
ffe3d: T1 3D {sag} | 3D MPRAGE {sag} | T1 FFE3D {tra} | T1W 3D
blade: t2_blade_{tra} | T2 BLADE {tra} | t2_tse_blade_{cor}
propeller: {tra} T2 PROPELLER | T2 PROP {tra} | {Ax} T2 PROPELLER FS
flair: FLAIR {tra} | {tra} T2 FLAIR | {tra} FLAIR | T2W_FLAIR | T2 FLAIR {cor} | T2_FLAIR {tra} | {Ax} FLAIR FS
pd: {tra} PD | PD TSE {tra} | pd_tse_{tra} | PDW {tra}
stir: STIR {cor} | {cor} STIR orbits | T2 STIR {cor} | t2_tirm_{cor}
bbspace: t1_space_{sag}_bb | T1 SPACE DARK BLOOD | t1_spc_dante_{sag} | black blood T1 SPACE
bbcube: T1 CUBE MSDE | BLACK BLOOD CUBE T1 | {Sag} T1 CUBE MSDE BB
bbview: T1 BB 3D TSE | 3D T1 BLACK BLOOD | BB_T1_VIEW | MSDE T1 3D
t2star: {tra} T2* GRE | T2* {tra} | t2_fl2d_{tra}_hemo | GRE {tra} | T2_FFE {tra} | {tra} GRE T2 STAR | T2 GRE {tra}
swi: SWI_Images | SWI {tra} | t2_swi3d_{tra} | t2_swi_{tra}_p2
swan: {Ax} SWAN | SWAN | {tra} 3D SWAN | SWI {tra}
swip: SWIp | SWIp {tra} | VEN_BOLD | SWI {tra}
fsbb: FSBB {tra} | SWI {tra} | 3D SWI
phase: Pha_Images | SWI phase | FILT_PHA: {Ax} SWAN | SWIp phase | Phase
minip: mIP_Images(SW) | minIP SWI | MinIP SWAN | MINIP
trace: ep2d_diff_b1000_TRACEW | DWI_{tra}_TRACEW | ep2d_diff_3scan_trace_p2_TRACEW | Diffusion TRACE
dwi: {tra} DWI | DWI {tra} | ep2d_diff_3scan | DWI b1000 | {Ax} DWI ASSET | DIFF {tra} | DWI_SENSE | isoDWI |
    DIFFUSION
resolve: resolve_3scan_trace_{tra}_TRACEW | RESOLVE DWI {tra} | resolve {tra}
adc: ep2d_diff_3scan_ADC | ADC | dADC | ADC map | Apparent Diffusion Coefficient (mm2/s) | DWI ADC | isoADC | {tra}
    ADC
dti: ep2d_diff_mddw_30_p2 | {tra} DTI 25 dir | DTI {tra} | DTI_32 | DTI 64 directions | DTI_high_iso
fa: ep2d_diff_mddw_30_FA | FA map | DTI FA | Fractional Anisotropy | Fractional Ansio. | FA
eadc: eADC | exp ADC | Exponential Apparent Diffusion Coefficient
tensor: ep2d_diff_mddw_30_TENSOR | DTI_TENSOR
dsc: ep2d_perf | PERFUSION {tra} | DSC perfusion | {Ax} PERF | PWI {tra} | DSC {tra} | T2* perfusion
cbv: relCBV | rCBV | CBV | ep2d_perf_relCBV | Corrected CBV | nCBV map
perfmap: relMTT | MTT | TTP | CBF | rCBF | ep2d_perf_relCBF | Tmax
dce: t1_twist_dynamic | DCE {tra} | 3D T1 DCE perfusion | {Ax} DCE | T1 dynamic perfusion | vibe_dce_{tra}
ktrans: Ktrans | K-trans map | KTRANS DCE | DCE Ktrans
bold: ep2d_bold_moco | BOLD motor | fMRI language | rs-fMRI | fMRI finger R | Resting state fMRI
asl: 3D ASL | pCASL {tra} | ASL 3D (non-contrast) | tgse_pcasl | asl perfusion
mrs: svs_se_30 | csi_se_135 | MRS | PROBE-SV 35 | SV_PRESS_144 | MR Spectroscopy
sub: SUB | T1 SUB | Subtraction | t1_mprage_sub | {Ax} T1 post minus pre | SUBTRACTION T1
mpr: MPR {tra} | {cor} MPR | {tra} reformat | t1_mprage_{tra}_MPR | MPR {cor} 3mm | Cor Ref | T1 3D {cor} MPR |
    Reformatted {tra}
mip: MIP | TOF MIP | COL:TOF | MIP TOF {tra} | TOF_MIP_cor | PJN:TOF
tof: TOF {tra} | TOF_3D_multi-slab | 3D TOF | {Ax} TOF MRA | MRA circle of Willis | s3DI_MC_HR
mrv: MRV | 2D TOF venogram | PC venous {sag} | MRV {sag} PC | phlebo
ciss: CISS {tra} | t2_ci3d_{tra} | FIESTA-C {tra} | 3D FIESTA | DRIVE bFFE | t2 ciss 3d
localizer: localizer | Localizer | 3-Plane Loc | Survey | SURVEY | scout | AAHead_Scout | Loc | 3 pl loc | LOC
spine_t1: T1 {sag} spine | {sag} T1 C-spine | t1_tse_{sag} LWS | T1 {sag} cervical | T1 TSE {sag} WS | T1 {sag}
    lumbar
spine_t2: T2 {sag} spine | {sag} T2 L-spine | t2_tse_{sag} HWS | T2 {sag} cervical | T2 {sag} thoracic | T2 {sag} WS
capture: Screen Save | Screenshot | Key images | capture | 3D saved | Results
ct: CT head | Head 5.0 | CCT | Brain 1mm H30s | TC craneo | Neuro
fet: PET FET brain | FET 20-40 min | F18-FET static | Brain FET AC
met: PET MET brain | C11-Methionin | Methionine PET | MET static AC
""")
"""Descriptions by technique; ``{w}``/``{W}`` is the weighting, the others planes."""

LOCAL_NAMES = _lists("""
de localizer: Planung | Uebersicht | Localizer
de spine_t1: T1 sag HWS | T1 sag BWS
de spine_t2: T2 sag LWS | T2 sag Wirbelsaeule
de dsc: Perfusion tra | ep2d_perf
de ct: CT Schädel nativ
fr localizer: Repérage | Reperage 3 plans
fr spine_t1: T1 sag rachis
fr spine_t2: T2 SAG RACHIS | T2 sag lombaire
fr dwi: DIFFUSION ax | Diff ax b1000
fr capture: Capture écran
fr ct: TDM crane
es localizer: Localizador | localizador 3 planos
es spine_t1: T1 sag columna
es spine_t2: T2 sag columna cervical | T2 SAG LUMBAR
es dwi: Difusion ax | DIFUSIÓN
es dsc: Perfusión
it localizer: Localizzatore | centratura
it spine_t1: T1 sag rachide | T1 sag colonna
it spine_t2: T2 sag colonna | T2 SAG RACHIDE
it dwi: Diffusione ax | DWI
it dsc: Perfusione
pt localizer: Localizador
pt spine_t1: T1 sag coluna
pt spine_t2: T2 sag coluna lombar
pt dwi: Difusão | DIFUSAO AX
pt dsc: Perfusão
nl localizer: Survey | planscan
nl spine_t1: T1 sag WK
nl spine_t2: T2 sag wervelkolom | T2 sag LWK
nl dwi: Diffusie tra | DWI tra
nl dsc: Perfusie
""")
"""Names that are translated, by language and technique."""

VAGUE = {
    "any": ("3D", "s4", "Series 5", "", "head", "brain", "{tra}", "{sag}", "301", "Routine", "{cor} 3mm", "new", "rpt"),
    "after": ("{tra} post", "post", "3D post", "+C", "{after}", "{tra} {after}", "{cor} {after}"),
    "before": ("{before}", "{tra} pre", "3D"),
}
"""Descriptions that say little: of anything, of a series after the injection, of one before."""
