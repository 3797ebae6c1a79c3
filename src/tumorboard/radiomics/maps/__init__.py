"""Feature maps: the value of a feature around every voxel of a region.

Why it exists: one number for a tumour hides where it is unlike itself; a map shows that, and is what habitats are
made from.
"""

from tumorboard.radiomics.maps.build import feature_map

__all__ = ["feature_map"]
