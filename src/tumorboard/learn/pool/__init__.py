"""Digital anatomy, kept on disk as shares of tissue, so that a training step only has to weight and shade it."""
