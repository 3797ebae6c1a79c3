"""What grows in digital heads."""
