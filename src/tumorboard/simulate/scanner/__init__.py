"""What scanners make of digital heads."""
