"""Rules on JAX, one a file; each module's docstring is its page."""
