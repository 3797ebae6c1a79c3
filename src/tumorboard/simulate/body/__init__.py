"""Healthy heads."""
