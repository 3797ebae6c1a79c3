"""Times to an event: curves, ranks, probabilities of living on."""
