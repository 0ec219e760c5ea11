"""Runs every part of `make test`, whatever the others gave, and ends with how many checks passed and failed.

    python tools/check.py [PART ...]    all parts, or those named

One part that fails makes the exit status 1. What each part prints is seen as it comes; what was counted is read from
the files that pytest, jest and Playwright write into reports/.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REPORTS = ROOT / "reports"
BIN = Path(sys.executable).parent
PAGE = ROOT / "labextension"

CANNOT = 77
"""Exit status of a part that cannot be had on this machine; it has said why."""


@dataclass(frozen=True, slots=True)
class Count:
    """Checks of one part."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed" + (f", {self.skipped} skipped" if self.skipped else "")


@dataclass(frozen=True, slots=True)
class Part:
    """A command, where it runs, and the file that says what it counted with its reader; none for a single check."""

    command: list[str]
    folder: Path = ROOT
    report: Path | None = None
    count: Callable[[Path], Count] | None = None


def read_junit(report: Path) -> Count:
    """pytest's and Playwright's JUnit file; a test that errs has failed."""
    found = Count()
    for suite in ET.parse(report).getroot().iter("testsuite"):  # our own files
        tests, skipped = int(suite.get("tests", 0)), int(suite.get("skipped", 0))
        failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        found += Count(tests - skipped - failed, failed, skipped)
    return found


def read_jest(report: Path) -> Count:
    """jest's JSON file; a suite that does not even run counts as one failure."""
    said = json.loads(report.read_text(encoding="utf-8"))
    failed = said["numFailedTests"] + said["numRuntimeErrorTestSuites"]
    return Count(said["numPassedTests"], failed, said["numPendingTests"])


def parts() -> dict[str, Part]:
    """The parts in their order: the quick ones first, pytest last."""
    npx = [str(PAGE / "node_modules" / ".bin" / name) for name in ("prettier", "tsc", "jest")]
    jest, browser = REPORTS / "jest.json", REPORTS / "browser.xml"
    return {
        "ruff": Part([str(BIN / "ruff"), "check", "."]),
        "format": Part([str(BIN / "ruff"), "format", "--check", "."]),
        "mypy": Part([str(BIN / "mypy")]),
        "layers": Part([str(BIN / "lint-imports"), "--no-logo"]),
        "docs": Part([sys.executable, "-m", "sphinx", *SPHINX, "docs", "docs/_build/html"]),
        "build": Part(["sh", "tools/labextension", ".venv", ".venv-lab42"]),
        "prettier": Part([npx[0], "--check", "src", "ui-tests", "style", "schema", "package.json"], PAGE),
        "tsc": Part([npx[1], "-p", "tsconfig.test.json"], PAGE),
        "jest": Part([npx[2], "--json", f"--outputFile={jest}"], PAGE, jest, read_jest),
        "browser": Part([sys.executable, "tests/browser/run.py", "--junit", str(browser)], ROOT, browser, read_junit),
        **{name: _pytest(name, *chosen) for name, chosen in PYTEST.items()},
    }


SPHINX = ("-E", "-W", "--keep-going", "-n", "-q", "-j", "auto", "-d", "docs/_build/doctrees")
"""Each page anew (-E), so that none keeps a warning to itself; every warning and unknown name is an error."""

FRAMEWORKS = "keras or jax or clean"
"""Tests that load TensorFlow and JAX, whose threads no process survives that forks (JAX warns of it at each fork):
they have a pytest of their own. The clean notebooks use every framework."""

PYTEST = {
    "pytest": ("--ignore=tests/advisor", "--ignore=tests/unit/advisor", "--ignore=tests/notebooks"),
    "notebooks": ("tests/notebooks",),  # each executed as students get it, and solved: some minutes
    # Files of theirs are not even read: some import their framework when they are.
    "advisor": (
        "tests/unit/advisor",
        "tests/advisor",
        "--ignore-glob=*keras*",
        "--ignore-glob=*jax*",
        "-k",
        f"not ({FRAMEWORKS})",
    ),
    "frameworks": ("tests/unit/advisor", "tests/advisor", "-k", FRAMEWORKS),
}
"""What each run of pytest takes on."""


def _pytest(name: str, *chosen: str) -> Part:
    report = REPORTS / f"{name}.xml"
    more = shlex.split(os.environ.get("PYTEST_ARGS", ""))
    return Part([sys.executable, "-m", "pytest", f"--junitxml={report}", *chosen, *more], ROOT, report, read_junit)


def run(name: str, part: Part) -> Count:
    """Run one part and count; a part that failed counts one failure at least, however it ended."""
    print(f"\n== {name}", flush=True)
    if part.report is not None:
        part.report.unlink(missing_ok=True)
    began = time.monotonic()
    # Programs that came as packages (node, jlpm) are found behind those of the machine.
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), str(BIN)])
    try:
        status = subprocess.run(part.command, cwd=part.folder, env={**os.environ, "PATH": path}, check=False).returncode
    except OSError as error:
        print(f"{name} could not be started: {error}")
        status = 127
    print(f"-- {name}: exit {status} after {time.monotonic() - began:.0f} s", flush=True)
    if status == CANNOT:
        return Count(skipped=1)
    counted = Count(passed=int(status == 0))
    if part.report is not None and part.count is not None and part.report.exists():
        counted = part.count(part.report)
    return counted if status == 0 or counted.failed else counted + Count(failed=1)


def main(names: list[str]) -> int:
    """The command line."""
    known = parts()
    unknown = sorted(set(names) - set(known))
    if unknown:
        print(f"No part is called {', '.join(unknown)}: there are {', '.join(known)}.", file=sys.stderr)
        return 2
    REPORTS.mkdir(exist_ok=True)
    counts = {name: run(name, part) for name, part in known.items() if not names or name in names}
    print()
    for name, count in counts.items():
        print(f"{name:12}{count}")
    total = sum(counts.values(), Count())
    print(f"\n{total}")
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
