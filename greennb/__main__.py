"""``python -m greennb``: the command line."""

import sys

from greennb.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
