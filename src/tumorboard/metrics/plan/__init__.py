"""How many patients a study needs, what more would bring, and what is missing."""
