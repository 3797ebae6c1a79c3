"""Pages of docs/reference, each written from the code by one module."""
