"""Matrices that textures are read off, counted over the voxels of a region."""
