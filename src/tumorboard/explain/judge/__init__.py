"""Explanations judged: does a map lie on the tumour, come from the weights, and tell what the network uses."""
