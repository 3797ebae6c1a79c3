"""The standard's processing scheme: grid, masks, grey levels."""
