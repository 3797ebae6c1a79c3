"""Networks that the user brings: nnU-Net v2 model folders and MONAI bundles, read by our own readers."""
