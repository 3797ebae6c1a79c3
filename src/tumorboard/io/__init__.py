"""Readers and writers of the file formats of the field; nothing here decides what a file means."""
