"""DICOMweb for what the node holds: QIDO-RS, WADO-RS, STOW-RS. Source: PS3.18 chapters 8 and 10."""
