"""Explanations of networks that read images, in two and three dimensions: one method a file."""
