"""The browser tests: serves the fronts, runs Playwright's specs (labextension/ui-tests) on them, and ends the servers.

    python tests/browser/run.py [--front NAME]... [--junit FILE] [-- PLAYWRIGHT'S ARGUMENTS]

Chromium is the machine's own; Playwright downloads none. Exit status: Playwright's; 77 where there is no Chromium.
GREENNB_SCREENSHOTS=1 writes docs/images/panel.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from serve import FRONTS, ROOT, served  # found through the line above

CANNOT = 77
PAGE = ROOT / "labextension"
BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)


def chromium() -> str | None:
    """The machine's Chromium."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="The browser tests.")
    parser.add_argument("--front", action="append", choices=list(FRONTS), help="only this front; may be repeated")
    parser.add_argument("--junit", type=Path, help="where to write the results as JUnit's XML")
    parser.add_argument("playwright", nargs="*", help="for Playwright, after --")
    asked = parser.parse_args()
    browser = chromium()
    if browser is None:
        print("There is no Chromium here: the browser tests are skipped. Install Chromium, or run make as root.")
        return CANNOT
    # An end from outside ends the servers too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="greennb-browser-")))
        servers = [stack.enter_context(served(name, folder / name)) for name in asked.front or FRONTS]
        for server in servers:
            server.wait()
        fronts = [{"name": it.front, "address": it.address, "virtual": it.virtual} for it in servers]
        environ = {
            **os.environ,
            "PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD": "1",
            "GREENNB_CHROMIUM": browser,
            "GREENNB_FRONTS": json.dumps(fronts),
            "PATH": os.pathsep.join([os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent)]),
        }
        if asked.junit:
            environ["GREENNB_JUNIT"] = str(asked.junit.resolve())
        command = [
            str(PAGE / "node_modules" / ".bin" / "playwright"),
            "test",
            "--config",
            "ui-tests/playwright.config.ts",
        ]
        process = subprocess.Popen([*command, *asked.playwright], cwd=PAGE, env=environ, stdin=subprocess.DEVNULL)
        try:
            return process.wait()
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()


if __name__ == "__main__":
    sys.exit(main())
