"""A rule's page: its docstring, and what is recorded of it, as Markdown that reads well in a terminal too."""

from __future__ import annotations

import inspect

from greennb.model.finding import Rule

SEVERITIES = {"act": "act (worth doing where it is found)", "note": "note (worth knowing)"}


def page(rule: Rule, doc: str | None) -> str:
    """The page of ``rule``; ``doc`` is its docstring: a title sentence, then the rest."""
    title, _, rest = inspect.cleandoc(doc or rule.name).partition("\n")
    title = title.strip().rstrip(".")
    parts = [f"# {rule.code}. {title}", _facts(rule, title), rest.strip()]
    if rule.wrong_when and "not where" not in rest.lower():
        parts.append("**Not where**\n\n" + "\n".join(f"- {clause}" for clause in rule.wrong_when))
    parts.append(f"**Source.** {rule.source}")
    return "\n\n".join(part for part in parts if part) + "\n"


def _facts(rule: Rule, title: str) -> str:
    name = "" if rule.name.rstrip(".") == title else f"{rule.name}. "
    return f"{name}Framework: {rule.framework}. Severity: {SEVERITIES[rule.severity.value]}. Since {rule.since}."
