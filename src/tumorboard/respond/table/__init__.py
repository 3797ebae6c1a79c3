"""Visits in tables: read with every doubt told, and written."""
