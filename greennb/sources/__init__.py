"""Where joules come from: one vendor, one file."""
