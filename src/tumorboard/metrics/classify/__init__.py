"""How well classes are told: counts at a threshold, curves, probabilities, use."""
