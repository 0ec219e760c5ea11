"""`make test` counts honestly: every part runs, and what failed, in whatever way, is in the number at its end."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def check() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check", ROOT / "tools" / "check.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["check"] = module  # its dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_command_is_one_check(check: ModuleType) -> None:
    assert check.run("fine", check.Part(python("pass"))) == check.Count(passed=1)
    assert check.run("broken", check.Part(python("raise SystemExit(3)"))) == check.Count(failed=1)


def test_a_program_that_is_not_there_has_failed(check: ModuleType) -> None:
    assert check.run("missing", check.Part(["/nowhere/at/all"])) == check.Count(failed=1)


def test_what_cannot_be_had_here_is_skipped(check: ModuleType) -> None:
    assert check.run("elsewhere", check.Part(python("raise SystemExit(77)"))) == check.Count(skipped=1)


def test_tests_are_counted_from_their_report(check: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "test_them.py").write_text(
        "import pytest\ndef test_a(): pass\ndef test_b(): assert 0\ndef test_c(): pytest.skip('x')\n"
        "@pytest.fixture\ndef broken(): raise OSError\ndef test_d(broken): pass\n"
    )
    report = tmp_path / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "--junitxml", str(report), "-p", "no:cacheprovider", "."]
    assert check.run("tests", check.Part(command, tmp_path, report, check.read_junit)) == check.Count(1, 2, 1)


def test_jest_counts_suites_that_do_not_run(check: ModuleType, tmp_path: Path) -> None:
    report = tmp_path / "jest.json"
    counts = {"numPassedTests": 5, "numFailedTests": 1, "numPendingTests": 2, "numRuntimeErrorTestSuites": 1}
    report.write_text(json.dumps(counts))
    assert check.read_jest(report) == check.Count(5, 2, 2)


def test_a_runner_that_falls_over_after_its_tests_has_failed(check: ModuleType, tmp_path: Path) -> None:
    """All tests passed, and still the exit status says no: that is one failure, not none."""
    report = tmp_path / "report.xml"
    xml = '<testsuites><testsuite tests="4" failures="0" errors="0" skipped="0"/></testsuites>'
    command = python(f"open({str(report)!r}, 'w').write({xml!r}); raise SystemExit(1)")
    assert check.run("falls", check.Part(command, tmp_path, report, check.read_junit)) == check.Count(4, 1, 0)


def test_an_old_report_is_not_counted(check: ModuleType, tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text('<testsuites><testsuite tests="4" failures="0" errors="0" skipped="0"/></testsuites>')
    part = check.Part(python("raise SystemExit(1)"), tmp_path, report, check.read_junit)
    assert check.run("old", part) == check.Count(failed=1)


def test_it_ends_with_a_line_of_counts(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "check.py", "ruff"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    last = done.stdout.rstrip().splitlines()[-1]
    assert last == ("1 passed, 0 failed" if done.returncode == 0 else "0 passed, 1 failed")


def test_a_part_that_is_not_there_is_named(check: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main(["everything"]) == 2
    assert "No part is called everything" in capsys.readouterr().err
