"""The department: studies come from a PACS, results go back, people read and correct in between."""
