"""Geometry of a mask: surface, hull, boxes, ellipsoids, diameters, and sums over pairs of voxels."""
