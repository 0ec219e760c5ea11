"""The pages say what the code does: the reference is generated, commands can be typed, links lead somewhere."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from greennb.cli.main import make_parser
from greennb.model import messages, wire

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md") if "_build" not in path.parts)
WORKFLOW = DOCS / "how-to" / "energy.yml"


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference", ROOT / "tools" / "reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_is_what_the_script_writes(script: ModuleType) -> None:
    """After a change of an option, a magic or a setting: python tools/reference.py."""
    written = script.files()
    there = {it: (DOCS / "reference" / it).read_text(encoding="utf-8") for it in written}
    assert [it for it, text in written.items() if there[it] != text] == []


def test_check_names_what_differs(script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert script.main(["--check"]) == 0
    script.FOLDER = tmp_path
    assert script.main(["--check"]) == 1
    assert "docs/reference/cli.md is not what the code says" in capsys.readouterr().err


def commands(text: str) -> list[str]:
    """Each call of greennb in the shell's code blocks of a page, without what a shell adds to it."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    lines = [line.strip().removeprefix("$ ") for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("greennb ")]


def parsed(command: str) -> Any:
    words = shlex.split(command, comments=True)
    end = next((place for place, word in enumerate(words) if word in ("|", "||", ">", ">>")), len(words))
    return make_parser(words[1:end]).parse_args(words[1:end])


TYPED = [pytest.param(line, id=f"{name(path)}: {line}") for path in PAGES for line in commands(path.read_text("utf-8"))]


@pytest.mark.parametrize("command", TYPED)
def test_every_command_of_a_page_can_be_typed(command: str) -> None:
    assert callable(parsed(command).run)


def test_the_workflow_is_one_and_its_commands_can_be_typed() -> None:
    workflow = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
    (job,) = workflow["jobs"].values()
    script = "\n".join(step["run"] for step in job["steps"] if "run" in step).replace("\\\n", " ")
    called = re.findall(r"greennb (?:run|gate|diff|doctor)[^\n;|>]*", script)
    modules = [parsed(line).run.__module__ for line in called]
    assert [it.rpartition(".")[2] for it in modules] == ["doctor", "run", "run", "run", "diff", "gate"]


def test_the_wire_page_names_every_field_of_a_measurement() -> None:
    page = (DOCS / "reference" / "wire.md").read_text(encoding="utf-8")
    examples = [json.loads(path.read_text("utf-8")) for path in (ROOT / "tests" / "data" / "wire").glob("*.json")]
    fields = {key for example in examples for key in example}
    fields |= {key for example in examples for domain in example["domains"] for key in domain}
    assert [key for key in sorted(fields) if f"`{key}`" not in page] == []


def test_the_wire_page_names_every_message_and_channel() -> None:
    page = (DOCS / "reference" / "wire.md").read_text(encoding="utf-8")
    names = messages.STREAM_TYPES | messages.ANSWER_TYPES | messages.ASKS
    names |= {wire.MIME_TYPE, wire.ADVICE_MIME_TYPE, wire.STREAM_TARGET, wire.ASK_TARGET}
    assert [it for it in sorted(names) if f"`{it}`" not in page] == []
    assert f"| `v` {messages.VERSION} |" in page
    assert f"| `schema` {wire.SCHEMA} |" in page


@pytest.mark.parametrize("path", [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *PAGES], ids=name)
def test_links_to_files_lead_somewhere(path: Path) -> None:
    """Also for who reads the files where they lie, without a website."""
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", text)
    assert [link for link in links if not (path.parent / link).exists()] == []
