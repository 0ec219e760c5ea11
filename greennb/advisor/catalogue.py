"""All the rules: greennb's own, one a file, and other people's by the entry point ``greennb.rules``."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from greennb.advisor import rules as _rules
from greennb.advisor.base import RuleModule
from greennb.model.errors import BadInputError
from greennb.model.finding import Rule

GROUP = "greennb.rules"
"""Entry points that name a rule (a module, or an object with RULE and check), or an iterable of rules."""

_NEAR = 4  # rules that are offered for a code that is not there

OWN = re.compile(r"GNB\d{3}")
"""What greennb's own codes look like; other people's are letters of their own and digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """The rules in the order of their codes, and a sentence for each that could not be had."""

    rules: tuple[RuleModule, ...]
    problems: tuple[str, ...] = ()

    def find(self, code: str) -> RuleModule | None:
        """The rule of that code, in whatever case."""
        return next((rule for rule in self.rules if rule.RULE.code == code.upper()), None)

    def named(self, code: str) -> RuleModule:
        """The rule of that code, in whatever case.

        Raises:
            BadInputError: there is none; it names those that are near.
        """
        rule = self.find(code)
        if rule is not None:
            return rule
        import difflib  # for mistyped codes alone

        near = difflib.get_close_matches(code.upper(), [it.RULE.code for it in self.rules], n=_NEAR, cutoff=0.6)
        others = f"did you mean {' or '.join(near)}?" if near else "`greennb rules` lists them all."
        raise BadInputError(f'There is no rule "{code[:40]}": {others}')


@functools.cache
def catalogue() -> Catalogue:
    """Every rule there is, loaded when first asked for: a few milliseconds."""
    problems: list[str] = []
    known = {rule.RULE.code: rule for rule in _own(problems)}
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            for rule in _of(point):
                _check(rule)
                if rule.RULE.code in known:
                    raise ValueError(f"its code {rule.RULE.code} is taken")
                known[rule.RULE.code] = rule
        except Exception as error:  # noqa: BLE001  # somebody else's package: it costs its rules and nothing more
            why = f"{type(error).__name__}: {error}"
            problems.append(f'the rules of the entry point "{point.name}" are left out ({why})')
    return Catalogue(rules=tuple(known[code] for code in sorted(known)), problems=tuple(problems))


def _own(problems: list[str]) -> Iterator[RuleModule]:
    """greennb's own rules; one that cannot be loaded costs itself, and is told in ``problems``."""
    for package in pkgutil.iter_modules(_rules.__path__):
        folder = importlib.import_module(f"{_rules.__name__}.{package.name}")
        for module in pkgutil.iter_modules(folder.__path__):
            if module.name.startswith("_"):
                continue
            try:
                rule: Any = importlib.import_module(f"{folder.__name__}.{module.name}")
                _ = rule.RULE.code, rule.check
            except Exception as error:  # noqa: BLE001
                problems.append(f"the rule {package.name}/{module.name} is left out ({type(error).__name__}: {error})")
                continue
            yield rule


def _of(point: EntryPoint) -> Iterable[RuleModule]:
    loaded: Any = point.load()
    return [loaded] if hasattr(loaded, "RULE") else list(loaded)


def _check(rule: RuleModule) -> None:
    if not isinstance(getattr(rule, "RULE", None), Rule) or not callable(getattr(rule, "check", None)):
        raise TypeError("a rule needs RULE, a greennb.model.finding.Rule, and a function check")
    if OWN.fullmatch(rule.RULE.code) or not re.fullmatch(r"[A-Z]{2,8}\d{1,4}", rule.RULE.code):
        raise ValueError(f'"{rule.RULE.code}" is no code of your own: use letters of your own and digits, ABC123')
