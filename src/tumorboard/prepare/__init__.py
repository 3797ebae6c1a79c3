"""One grid, one brain mask, one scale of intensities: what every later stage works on."""
