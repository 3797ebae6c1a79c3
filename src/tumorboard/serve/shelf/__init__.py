"""The shelf: DICOM files on disk under names that identify nobody, and the rows that say what they are."""
