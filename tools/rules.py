"""Writes docs/rules from the rules' docstrings: ``python tools/rules.py``.

A page a rule, and README.md, the catalogue, which says of each how it was tested: that is told by the files that are
there. pytest checks that the pages are what this writes.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from greennb.advisor.base import RuleModule  # noqa: E402
from greennb.advisor.catalogue import OWN, catalogue  # noqa: E402
from greennb.views.rule import page  # noqa: E402

FOLDER = ROOT / "docs" / "rules"
CASES = ROOT / "tests" / "advisor" / "cases"
SIGNALS = ROOT / "tests" / "data" / "signals"
GPU = ROOT / "tests" / "gpu"

FRAMEWORKS = {
    "notebook": "The notebook", "machine": "The machine", "torch": "PyTorch", "sklearn": "scikit-learn",
    "keras": "Keras and TensorFlow", "jax": "JAX",
}  # fmt: skip

_HEAD = """\
# The advisor's rules

Written by `tools/rules.py` from the rules' docstrings and from the tests that are there. `greennb rules` lists the same
rules and those of other packages, `greennb rules CODE` shows a page. How the advisor works, and how to write a rule:
[docs/advisor.md](../advisor.md).

*Tested* says where a rule was seen to fire and, as near as can be, to keep silent:

- **for real**: cells of `tests/advisor/cases` that run on that framework, on a CPU;
- **recorded**: signals of a real run, kept in `tests/data/signals`; what was put in by hand is said on the rule's page;
- **card**: a test of `tests/gpu` names it, which runs where there is an NVIDIA card.
"""


def files() -> dict[str, str]:
    """Each file of docs/rules by its name, with its text."""
    rules = [rule for rule in catalogue().rules if OWN.fullmatch(rule.RULE.code)]
    pages = {f"{rule.RULE.code}.md": _page(rule) for rule in rules}
    return {"README.md": _readme(rules), **pages}


def _readme(rules: list[RuleModule]) -> str:
    parts = [_HEAD]
    for framework, title in FRAMEWORKS.items():
        rows = [_row(rule) for rule in rules if rule.RULE.framework == framework]
        if rows:
            parts.append(
                f"## {title}\n\n| Code | Rule | Severity | Tested |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"
            )
    return "\n".join(parts)


def _row(module: RuleModule) -> str:
    rule = module.RULE
    name = rule.name.replace("|", "\\|")
    return f"| [{rule.code}]({rule.code}.md) | {name} | {rule.severity.value} | {'; '.join(_ways(rule.code)) or 'no'} |"


def _page(module: RuleModule) -> str:
    code = module.RULE.code
    lines = [f"- `{path.relative_to(ROOT).as_posix()}`{told}" for path, told in _tests(code)]
    tested = "\n".join(lines) or "- not yet"
    return f"{page(module.RULE, module.__doc__)}\n**Tested**\n\n{tested}\n"


def _ways(code: str) -> list[str]:
    """How a rule was tested, in short."""
    ways = []
    for name, paths in (("for real", _cases(code)), ("recorded", _recorded(code))):
        fires = sum("_fires" in path.stem for path in paths)
        if paths:
            ways.append(f"{name}: {fires} fire{'s' if fires == 1 else ''}, {len(paths) - fires} silent")
    return ways + (["card"] if _on_a_card(code) else [])


def _tests(code: str) -> list[tuple[Path, str]]:
    """Each file that tests a rule, and what is to be said of it."""
    return [
        *((path, f": {_first_comment(path)}") for path in _cases(code)),
        *((path, f": {json.loads(path.read_text(encoding='utf-8'))['made']}") for path in _recorded(code)),
        *((path, ": on a card") for path in _on_a_card(code)),
    ]


def _cases(code: str) -> list[Path]:
    return sorted(CASES.rglob(f"{code}_*.py"))


def _recorded(code: str) -> list[Path]:
    return sorted(SIGNALS.glob(f"{code}_*.json"))


def _on_a_card(code: str) -> list[Path]:
    return [path for path in sorted(GPU.glob("*.py")) if re.search(rf"\b{code}\b", path.read_text(encoding="utf-8"))]


def _first_comment(path: Path) -> str:
    """The comment at a case's top, which says what it shows."""
    lines = path.read_text(encoding="utf-8").splitlines()
    comment = []
    for line in lines:
        if not line.startswith("#") or line.startswith(("# %%", "# also:")):
            break
        comment.append(line.lstrip("# ").rstrip())
    return " ".join(comment).rstrip(".")


def main() -> int:
    """Write the pages; files of rules that are gone are removed."""
    for problem in catalogue().problems:
        print(problem, file=sys.stderr)
    FOLDER.mkdir(parents=True, exist_ok=True)
    written = files()
    for path in FOLDER.glob("*.md"):
        if path.name not in written:
            path.unlink()
    for name, text in written.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    print(f"{len(written) - 1} rules in {FOLDER.relative_to(ROOT)}")
    return 1 if catalogue().problems else 0


if __name__ == "__main__":
    sys.exit(main())
