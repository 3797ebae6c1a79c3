"""Who digital patients are, and how long they live."""
