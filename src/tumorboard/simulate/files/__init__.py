"""Digital patients as files."""
