"""Networks: how they are built, kept in bundles and run."""
