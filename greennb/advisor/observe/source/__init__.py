"""The source of a cell: what confirms, and never claims by itself, that something is slow."""
