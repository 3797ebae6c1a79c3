"""Results on their way out: by the rule that an administrator switched on, and by no other."""
