"""Answers what a page asks on ``greennb.ask``.

An answer is sent from within the comm's own ``on_msg`` and nothing else ever is: ipykernel 7 hears asks on a subshell,
while a cell runs, only as long as that holds. So this may run on any thread, and must be quick.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from greennb.jupyter import facts
from greennb.model import messages, messages_trial
from greennb.model.errors import BadInputError, GreennbError

if TYPE_CHECKING:
    from greennb.jupyter.bridge import Bridge


MOST_TEXTS = 1000
"""Names in a list that a page sends: twice what a notebook remembers of dismissed findings, and as many rules."""


class Asks:
    """One page's questions."""

    def __init__(self, bridge: Bridge, comm: Any) -> None:
        self._bridge = bridge
        self._session = bridge.session
        self._comm = comm
        self._sent: object = None  # when the question was asked, by the page's clock
        self._answers: Mapping[str, Callable[[str, Mapping[str, Any]], dict[str, Any]]] = {
            "hello": self._hello, "watch": self._watch, "history": self._history, "set": self._set,
            "plan": self._plan, "stop": self._stop,
        }  # fmt: skip

    def answer(self, message: Any) -> None:
        """Answer one message of the comm, whatever it is."""
        re = ""
        try:
            data = message["content"]["data"]
            re = _id(data)
            question, re, fields = messages.asked(data)
            self._sent = message.get("header", {}).get("date")
            said = self._answers[question](re, fields)
        except GreennbError as error:
            said = messages.refused(str(error), re=re)
        except Exception as error:  # noqa: BLE001  # a page's question never fails anything in the kernel
            said = messages.refused(
                f"greennb could not answer ({type(error).__name__}: {str(error)[:200]}). Please report it.", re=re
            )
        self._comm.send(said)

    def _hello(self, re: str, _fields: Mapping[str, Any]) -> dict[str, Any]:
        return facts.hello(self._session, re)

    def _watch(self, re: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        hz = messages.pace(fields.get("hz"))
        stream = fields.get("stream")
        if not isinstance(stream, str):
            raise BadInputError("stream must be the id of a comm that this page has opened on greennb.stream.")
        self._bridge.feed.watch(stream, hz)
        return messages.watching(hz=hz, re=re)

    def _history(self, re: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        span_s = _number(fields, "span_s", facts.HISTORY_S)
        return facts.history(self._session, min(span_s, facts.HISTORY_S), re)

    def _set(self, re: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        wanted: dict[str, str | float] = {}
        if "zone" in fields:
            wanted["zone"] = _text(fields, "zone")
        for name in ("pue", "intensity"):
            if name in fields:
                wanted[name] = _number(fields, name, 0.0)
        measure = fields.get("measure")
        if measure is not None and not isinstance(measure, bool):
            raise BadInputError("measure must be true or false.")
        dismissed = None if fields.get("dismissed") is None else _texts(fields, "dismissed")
        if not wanted and measure is None and dismissed is None:
            raise BadInputError("There is nothing to set: give measure, zone, pue, intensity or dismissed.")
        if dismissed is not None:
            self._session.coach.set_aside = frozenset(dismissed)
        if wanted:
            self._session.configure(**wanted)
        if measure is not None:
            self._bridge.measuring = measure
            self._bridge.settings_changed()
        return messages.settings(facts.in_force(self._session), re=re)

    def _plan(self, re: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        from greennb.advisor.trial.trials import BUDGET_S  # when first asked
        from greennb.jupyter.trials import as_magic

        if "key" not in fields:
            raise BadInputError("key must be the key of a finding, or the code of a rule.")
        variant = None if fields.get("variant") is None else _text(fields, "variant")
        plan = self._session.trying.plan(
            _text(fields, "key"), variant=variant, budget_s=_number(fields, "budget_s", BUDGET_S)
        )
        return messages_trial.plan(
            key=plan.key, code=plan.code, variant=plan.variant, kind=plan.kind.value, variants=plan.variants,
            cell_id=plan.cell_id, execution_count=plan.execution_count, words=plan.words, budget_s=plan.budget_s,
            expected_j=plan.expected_j, method=plan.method, change=plan.change, run=as_magic(plan), re=re,
        )  # fmt: skip

    def _stop(self, re: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        key = None if fields.get("key") is None else _text(fields, "key")
        return messages_trial.stopping(running=self._session.stop_trial(key, self._sent), re=re)


def _id(data: Any) -> str:
    """The question's id, as far as it has one."""
    found = data.get("id") if isinstance(data, Mapping) else None
    return found[:100] if isinstance(found, str) else ""


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields[name]
    if not isinstance(value, str) or len(value) > messages.LONGEST_TEXT:
        raise BadInputError(f"{name} must be a text of at most {messages.LONGEST_TEXT} characters.")
    return value.strip()


def _texts(fields: Mapping[str, Any], name: str) -> list[str]:
    values = fields[name]
    if not isinstance(values, list) or len(values) > MOST_TEXTS:
        raise BadInputError(f"{name} must be a list of at most {MOST_TEXTS} texts.")
    return [_text({name: value}, name) for value in values]


def _number(fields: Mapping[str, Any], name: str, usual: float) -> float:
    value = fields.get(name, usual)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise BadInputError(f"{name} must be a number of at least 0.")
    try:
        return float(value)
    except OverflowError:
        raise BadInputError(f"{name} is too large.") from None
