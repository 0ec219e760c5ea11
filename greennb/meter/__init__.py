"""Time and arithmetic: windows are opened and closed here, and joules are made of samples."""
