"""A Python kernel that starts once and never again: it is dead when it dies. Its argument is where it notes that."""

from __future__ import annotations

import sys
from pathlib import Path

from ipykernel import kernelapp

if __name__ == "__main__":
    connection = Path(sys.argv[sys.argv.index("-f") + 1])
    # A restart comes with the connection file of the kernel that died.
    noted = connection.with_suffix(".started")
    if noted.exists():
        sys.exit("This kernel starts only once.")
    noted.touch()
    kernelapp.launch_new_instance()
