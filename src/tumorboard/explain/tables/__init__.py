"""Explanations of models that read a table: one method a file."""
