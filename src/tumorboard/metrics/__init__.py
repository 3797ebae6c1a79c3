"""How well two label maps agree: overlap, surface distances, and one table of both per region."""
