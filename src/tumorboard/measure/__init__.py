"""Measure: numbers with unit, method and source voxels, from label maps on a grid."""
