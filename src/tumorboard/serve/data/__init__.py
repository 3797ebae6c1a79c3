"""The database of a department: its tables, and short transactions on them."""
