"""DICOM: trees of files to series, series to volumes, and digital studies to files.

Why it exists: what a scanner writes is not a volume but hundreds of planes, each with its own place,
mixed with everything else a department keeps. Nothing here knows which sequence is which; that is intake's.
"""
