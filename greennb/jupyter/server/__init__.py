"""greennb in Jupyter Server: the host's power before any kernel and beside kernels of any language, and its metrics."""
