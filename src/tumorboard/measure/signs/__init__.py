"""Signs that readers score: the VASARI lexicon as far as outlines can answer it, and the T2-FLAIR mismatch."""
