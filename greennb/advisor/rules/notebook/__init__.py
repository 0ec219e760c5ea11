"""Rules on the notebook and the machine, one a file; each module's docstring is its page."""
