"""``greennb rules``: the advisor's rules, and the page of each."""

from __future__ import annotations

import argparse
import inspect
from typing import TYPE_CHECKING, Any

from greennb.advisor.catalogue import Catalogue, catalogue
from greennb.cli.columns import laid_out
from greennb.cli.files import json_text
from greennb.cli.terminal import say, width
from greennb.views.format import plain

if TYPE_CHECKING:
    from greennb.advisor.base import RuleModule

SCHEMA = 1
"""Version of what ``greennb rules --json`` prints."""

_HEADINGS = ("code", "framework", "severity", "name")
_NAME = 3  # the column that gives way


def add_parser(subparsers: Any) -> None:
    """Add ``rules`` to the command line."""
    parser = subparsers.add_parser(
        "rules",
        help="list the advisor's rules, or show the page of one",
        description="List the advisor's rules, those of other packages (entry point greennb.rules) among them, or "
        "show the page of one: what is seen, why it costs energy, what to change, and when not to.",
        epilog="example: greennb rules GNB201",
        allow_abbrev=False,
    )
    parser.add_argument("code", nargs="?", metavar="CODE", help="show this rule's page (GNB201)")
    parser.add_argument("--json", action="store_true", help="print JSON for a machine to read")
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Print the rules, or one of them; 0."""
    known = catalogue()
    if given.code is not None:
        print(_one(known.named(given.code), json=given.json))
    elif given.json:
        print(json_text(document(known)))
    else:
        rows = [(it.RULE.code, it.RULE.framework, it.RULE.severity.value, it.RULE.name) for it in known.rules]
        print(laid_out(_HEADINGS, rows, gives_way=_NAME, width=width()))
        print(f"\n{len(rows)} rules. `greennb rules CODE` shows the page of one.")
    for problem in known.problems:
        say(plain(problem, 400))
    return 0


def document(known: Catalogue) -> dict[str, Any]:
    """Every rule as plain JSON values."""
    return {"schema": SCHEMA, "rules": [as_dict(it) for it in known.rules], "problems": list(known.problems)}


def as_dict(module: RuleModule) -> dict[str, Any]:
    """One rule as plain JSON values; ``doc`` is its page without the heading."""
    rule = module.RULE
    return {
        "code": rule.code, "name": rule.name, "framework": rule.framework, "severity": rule.severity.value,
        "since": rule.since, "source": rule.source, "wrong_when": list(rule.wrong_when),
        "doc": inspect.cleandoc(module.__doc__ or ""),
    }  # fmt: skip


def _one(module: RuleModule, *, json: bool) -> str:
    if json:
        return json_text({"schema": SCHEMA, **as_dict(module)})
    from greennb.views.rule import page

    return page(module.RULE, module.__doc__).rstrip()
