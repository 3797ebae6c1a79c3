"""The reading room: a study in the browser, corrected, accepted or rejected, and what follows from that."""
