"""What a pool of digital anatomy holds.

Why it exists: networks must see many heads, tumours and states after treatment, and the heads that judge them must
be others. A pool is its seed and its numbers; hold-out pools have another seed.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from tumorboard.simulate.scanner.sites import SITES
from tumorboard.simulate.subject import Kind


class PoolPlan(BaseModel):
    """Numbers of a pool.

    Examples
    --------
    >>> PoolPlan(patients=4).kind_of(0).value in {"glioma", "metastases", "pcnsl"}
    True
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    patients: int = Field(gt=0, description="digital patients")
    visits: int = Field(default=2, ge=1, description="studies of each, the later ones after treatment")
    spacing_mm: float = Field(default=2.0, ge=1.0, le=8.0, description="voxel size")
    heads: bool = Field(default=False, description="whether skull, face and neck are kept too, for brain masks")
    seed: int = Field(default=1, ge=0, description="other seeds give other patients")
    glioma: float = Field(default=0.75, ge=0, description="share of gliomas")
    metastases: float = Field(default=0.2, ge=0, description="share of patients with metastases")
    pcnsl: float = Field(default=0.05, ge=0, description="share of lymphomas")
    grades: tuple[int, ...] = Field(default=(), description="only gliomas of these WHO grades; none: all")

    def kind_of(self, n: int) -> Kind:
        """Return what patient ``n`` has; shares are met in turn, whatever the number of patients."""
        shares = {Kind.GLIOMA: self.glioma, Kind.METASTASES: self.metastases, Kind.PCNSL: self.pcnsl}
        place = (n * 0.6180339887498949 + 0.5) % 1.0 * sum(shares.values())
        for kind, share in shares.items():
            place -= share
            if place < 0:
                return kind
        return Kind.GLIOMA

    @property
    def sites(self) -> int:
        """All sites: patients go to them in turn."""
        return len(SITES)
