"""What tissues are made of: relaxation, water, diffusion, blood, tracers and CT numbers, as one table.

Why it exists: contrast must follow from tissue and protocol. Every sequence, map and tracer image of a digital
patient reads this table, so that they agree with each other.

Tumour tissues are set, within their published ranges, so that the medians of 59 glioblastomas hold: ratios between
enhancing tumour, necrosis and oedema on T1, T1C, T2, FLAIR, and of diffusivity, anisotropy and blood volume
(UPENN-GBM radiomic features, Bakas S et al., Sci Data 2022;9:453, CC BY 4.0). ``benchmarks/realism.py`` prints both.

Sources of the rest (values as usually quoted from them and **unverified**): relaxation of brain at 1.5 and 3 T -
Wansapura JP et al., J Magn Reson Imaging 1999;9:531-538; Stanisz GJ et al., Magn Reson Med 2005;54:507-512.
Diffusivity - Provenzale JM et al., Radiology 2006;239:632-649. Blood volume - Law M et al., AJNR 2003;24:1989-1998.
Amino-acid tracers - Law I et al., Eur J Nucl Med Mol Imaging 2019;46:540-557 (uptake as a ratio to normal brain).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

FIELDS_T = (1.5, 3.0)


@dataclass(frozen=True)
class Matter:
    """One tissue.

    Parameters
    ----------
    water : float
        Proton density, fluid is 1.
    t1_ms, t2_ms : (float, float)
        At 1.5 and 3 T.
    t2star_ms : float
        At 3 T.
    adc : float
        10⁻³ mm²/s.
    fa : float
        Fractional anisotropy, 0 to 1.
    cbv : float
        Blood, mL/100 mL.
    ktrans_min, ve : float
        Transfer constant, 1/min, and extravascular extracellular part, 0 to 1.
    gd_mmol_l : float
        Contrast agent some minutes after a standard dose, mmol/L of tissue.
    fet, met : float
        Tracer uptake; normal brain is 1.
    hu : float
        CT number.
    """

    water: float
    t1_ms: tuple[float, float]
    t2_ms: tuple[float, float]
    t2star_ms: float
    adc: float = 0.8
    fa: float = 0.1
    cbv: float = 0.0
    ktrans_min: float = 0.0
    ve: float = 0.2
    gd_mmol_l: float = 0.0
    fet: float = 0.0
    met: float = 0.0
    hu: float = 40.0

    def t1(self, field_t: float) -> float:
        """Return T1 at a field, ms."""
        return self.t1_ms[FIELDS_T.index(field_t)]

    def t2(self, field_t: float) -> float:
        """Return T2 at a field, ms."""
        return self.t2_ms[FIELDS_T.index(field_t)]


_BRAIN: dict[str, Matter] = {
    "wm": Matter(0.70, (650, 840), (80, 75), 52, 0.75, 0.45, 2.0, 0.0, 0.2, 0.006, 0.9, 0.8, 30),
    "gm": Matter(0.80, (1000, 1350), (98, 95), 60, 0.85, 0.10, 4.5, 0.0, 0.2, 0.012, 1.0, 1.1, 38),
    "csf": Matter(1.00, (4200, 4300), (1800, 1800), 800, 3.00, 0.0, 0.0, 0.0, 0.2, 0.0, 0.3, 0.3, 8),
    "gliosis": Matter(0.78, (900, 1150), (118, 112), 70, 1.05, 0.25, 1.8, 0.0, 0.2, 0.012, 0.9, 0.8, 27),
    "vessel": Matter(0.12, (1440, 1930), (290, 275), 30, 2.0, 0.0, 90.0, 0.0, 0.2, 0.8, 1.2, 1.2, 45),
    "plexus": Matter(0.85, (1300, 1650), (160, 150), 70, 1.4, 0.0, 12.0, 0.20, 0.4, 0.40, 1.3, 1.5, 40),
    "dura": Matter(0.55, (900, 1150), (45, 42), 15, 0.8, 0.0, 4.0, 0.10, 0.3, 0.35, 1.2, 1.2, 55),
    "pituitary": Matter(0.80, (900, 1150), (90, 85), 50, 0.9, 0.0, 12.0, 0.25, 0.4, 0.60, 1.6, 2.2, 45),
}

_TUMOUR: dict[str, Matter] = {
    "oedema": Matter(0.84, (1250, 1550), (185, 175), 100, 1.45, 0.18, 1.5, 0.0, 0.3, 0.012, 0.9, 0.9, 22),
    "infiltrate": Matter(0.84, (1300, 1650), (150, 140), 95, 1.25, 0.15, 2.2, 0.0, 0.3, 0.015, 1.6, 1.7, 27),
    "microcystic": Matter(0.92, (2000, 2600), (270, 255), 160, 1.95, 0.08, 1.5, 0.0, 0.4, 0.010, 1.3, 1.5, 20),
    "vital": Matter(0.84, (1140, 1440), (178, 169), 85, 1.10, 0.20, 6.8, 0.12, 0.35, 0.36, 2.6, 2.7, 40),
    "necrosis": Matter(0.90, (1500, 1850), (235, 210), 120, 1.40, 0.10, 1.9, 0.02, 0.5, 0.02, 0.7, 0.7, 18),
    "lymphoma": Matter(0.81, (1050, 1350), (100, 92), 65, 0.70, 0.10, 3.5, 0.20, 0.25, 0.45, 2.8, 3.2, 50),
    "metastasis": Matter(0.82, (1100, 1400), (108, 100), 65, 1.05, 0.10, 7.0, 0.15, 0.35, 0.40, 2.3, 2.6, 40),
    "cyst": Matter(0.97, (2700, 3200), (600, 550), 300, 2.40, 0.0, 0.0, 0.0, 0.5, 0.01, 0.4, 0.4, 14),
    "cavity": Matter(0.98, (3200, 3600), (1000, 950), 400, 2.70, 0.0, 0.0, 0.0, 0.5, 0.01, 0.3, 0.3, 10),
    "methaemoglobin": Matter(0.90, (400, 500), (60, 50), 14, 0.70, 0.05, 0.0, 0.0, 0.2, 0.0, 0.3, 0.3, 62),
    "haemosiderin": Matter(0.70, (750, 900), (40, 32), 8, 0.7, 0.1, 0.5, 0.0, 0.2, 0.01, 0.5, 0.5, 45),
    "calcium": Matter(0.25, (700, 800), (40, 35), 6, 0.6, 0.05, 0.5, 0.0, 0.2, 0.01, 0.5, 0.5, 180),
    "radionecrosis": Matter(0.86, (1350, 1700), (135, 125), 80, 1.45, 0.10, 1.8, 0.06, 0.45, 0.30, 1.4, 1.4, 32),
    # what pseudoprogression is made of: it leaks nearly as tumour does, with fewer vessels and cells
    "inflamed": Matter(0.85, (1250, 1570), (155, 147), 82, 1.35, 0.14, 2.8, 0.09, 0.42, 0.33, 1.7, 1.7, 36),
}

_SHELL: dict[str, Matter] = {
    "air": Matter(0.0, (1000, 1000), (1, 1), 1, 0.0, 0.0, hu=-1000),
    "fluid": replace(_BRAIN["csf"]),
    "bone": Matter(0.10, (300, 400), (5, 5), 2, 0.3, 0.0, hu=1000),
    "marrow": Matter(0.60, (380, 480), (70, 65), 12, 0.3, 0.0, 1.0, gd_mmol_l=0.03, fet=0.6, met=0.9, hu=300),
    "muscle": Matter(0.72, (1000, 1400), (42, 36), 28, 1.4, 0.2, 2.0, 0.05, 0.2, 0.10, 1.0, 0.8, 55),
    "fat": Matter(0.85, (290, 380), (95, 90), 30, 0.1, 0.0, 0.5, hu=-90, fet=0.2, met=0.2),
    "skin": Matter(0.60, (800, 1000), (50, 45), 20, 1.2, 0.1, 2.0, 0.05, 0.3, 0.15, 0.9, 0.9, 40),
    "humour": Matter(1.0, (4000, 4200), (1200, 1200), 500, 3.0, 0.0, hu=10),
    "lens": Matter(0.60, (1000, 1300), (35, 30), 20, 1.0, 0.1, hu=70),
    "mucosa": Matter(0.88, (1100, 1400), (130, 120), 25, 1.5, 0.0, 8.0, 0.25, 0.4, 0.60, 1.5, 1.5, 30),
    "cord": replace(_BRAIN["wm"], fa=0.6),
}

MATTERS: dict[str, Matter] = {**_BRAIN, **_TUMOUR, **_SHELL}
"""All tissues by name; those of the shell have the names of :data:`tumorboard.simulate.body.shell.TISSUES`."""
