"""Work that waits: the list of jobs, what is claimed, what is tried again, and the carrier that wakes workers."""
