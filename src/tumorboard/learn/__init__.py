"""Where networks learn: digital patients drawn anew at every step, users' own folders, one training loop."""
