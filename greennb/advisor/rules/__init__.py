"""Rules: one a file, gathered by :mod:`greennb.advisor.catalogue`."""
