"""The command line: ``greennb run``, ``diff``, ``gate``, ``doctor`` and the rest, each in a file of its own."""
