"""What is true: readings, windows, measurements, footprints, findings. Standard library only, no I/O."""
