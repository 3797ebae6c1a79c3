"""The DICOM node: what is sent to it is kept, what is asked of others is fetched."""
