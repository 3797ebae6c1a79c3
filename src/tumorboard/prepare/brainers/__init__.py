"""Methods that outline the brain in a head with its skull; each is one file and one line in :mod:`..skull`."""
