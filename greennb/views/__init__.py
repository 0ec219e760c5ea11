"""What the user sees of a measurement: pure functions, no I/O, no settings."""
