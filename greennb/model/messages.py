"""What a kernel and a page say to each other: versioned JSON on the two comms.

``greennb.stream`` carries what the kernel sends of its own accord, ``greennb.ask`` the page's questions and their
answers. Every message has ``v`` and ``type``; times are seconds of the kernel's monotonic clock (``t_s``), so that
neither side's wall clock matters; a number that is missing is null. Domains are called by :func:`domain_id`.
A reader leaves out a message of a newer ``v``, one of a type that it does not know, and fields that it does not know.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from greennb.model.errors import BadInputError
from greennb.model.finding import Evidence, Finding, Rule, Severity, Suggestion
from greennb.model.footprint import CarbonIntensity
from greennb.model.measurement import SCHEMA, Measurement
from greennb.model.reading import Domain, Fault, Method
from greennb.model.total import Total
from greennb.model.wire import intensity_to_dict, measurement_to_dict

VERSION = 1
"""Version of the messages; a change that an old reader would misread makes a new one."""

STREAM_TYPES = frozenset({"hello", "samples", "began", "ended", "waste", "findings", "settings", "trial", "bye"})
"""What a kernel sends on ``greennb.stream``."""

ANSWER_TYPES = frozenset({"hello", "watching", "history", "settings", "plan", "stopping", "refused"})
"""What a kernel answers on ``greennb.ask``."""

ASKS = frozenset({"hello", "watch", "history", "set", "plan", "stop"})
"""What a page may ask."""

SLOWEST_HZ, FASTEST_HZ = 0.2, 10.0
"""How often a page may ask for samples; the fastest is as often as NVML's power moves at all."""

LONGEST_TEXT = 4000
"""Characters of a text that a page sends; more than that is no setting."""


def domain_id(domain: Domain) -> str:
    """A name for ``domain`` within one kernel's messages."""
    return f"{domain.kind.value}:{domain.device}"


def message(kind: str, /, **fields: Any) -> dict[str, Any]:
    """A message of the type ``kind``; what is not a finite number becomes null, for JSON has no other."""
    return {"v": VERSION, "type": kind, **{name: _plain(value) for name, value in fields.items()}}


def hello(
    *,
    version: str,
    host: str,
    pid: int,
    python: str,
    session: str,
    t_s: float,
    domains: Sequence[Mapping[str, Any]],
    sources: Sequence[Mapping[str, Any]],
    faults: Sequence[Fault],
    settings: Mapping[str, Any],
    re: str | None = None,
) -> dict[str, Any]:
    """Who this kernel is, what it can measure, and what it cannot and why. On the stream once its sources change."""
    said = message(
        "hello", greennb=version, schema=SCHEMA, host=host, pid=pid, python=python, session=session, t_s=t_s,
        domains=list(domains), sources=list(sources), faults=[fault_in_short(fault) for fault in faults],
        settings=dict(settings),
    )  # fmt: skip
    return said if re is None else {**said, "re": re}


def domain_in_short(domain: Domain, *, method: Method, note: str, max_w: float, root: bool) -> dict[str, Any]:
    """A domain as ``hello`` tells of it. ``root`` is whether its watts count in a total: no other holds them."""
    inside = None if domain.inside is None else domain_id(domain.inside)
    return {
        "id": domain_id(domain), "kind": domain.kind.value, "label": domain.label, "host": domain.host,
        "inside": inside, "method": method.value, "note": note, "max_w": max_w, "root": root,
    }  # fmt: skip


def fault_in_short(fault: Fault) -> dict[str, Any]:
    """A fault as messages tell of it."""
    domain = None if fault.domain is None else domain_id(fault.domain)
    label = "" if fault.domain is None else fault.domain.label
    return {"domain": domain, "label": label, "reason": fault.reason, "hint": fault.hint}


def source_in_short(*, name: str, used: bool, reason: str, hint: str) -> dict[str, Any]:
    """What probing for one source of joules gave, as ``hello`` tells of it."""
    return {"name": name, "used": used, "reason": reason, "hint": hint}


def in_force(
    *,
    measure: bool,
    zone: str,
    pue: float,
    intensity: CarbonIntensity | None,
    price: float,
    currency: str,
    advice: bool,
) -> dict[str, Any]:
    """The settings in force, as ``hello`` and ``settings`` tell of them.

    ``measure`` is whether cells without a marker are measured, ``advice`` whether the advisor looks on; ``intensity``
    is None where no grams are told.
    """
    known = None if intensity is None else intensity_to_dict(intensity)
    return {
        "measure": measure, "zone": zone, "pue": pue, "intensity": known, "price": price, "currency": currency,
        "advice": advice,
    }  # fmt: skip


def settings(known: Mapping[str, Any], *, re: str | None = None) -> dict[str, Any]:
    """What is in force now, as :func:`in_force` has it."""
    said = message("settings", **known)
    return said if re is None else {**said, "re": re}


def gauge(
    domain: Domain | None,
    *,
    util: float | None = None,
    mem_b: int | None = None,
    mem_total_b: int | None = None,
    temp_c: float | None = None,
) -> dict[str, Any]:
    """Utilisation (0 to 1), bytes of memory and degrees Celsius of a device, or of the whole machine (None)."""
    return {
        "domain": None if domain is None else domain_id(domain), "util": _short(util), "mem_b": mem_b,
        "mem_total_b": mem_total_b, "temp_c": _plain(temp_c),
    }  # fmt: skip


def samples(
    *,
    t_s: Sequence[float],
    w: Sequence[Sequence[float | None]],
    low_w: Sequence[float | None],
    high_w: Sequence[float | None],
    gauges: Sequence[Mapping[str, Any]],
    faults: Sequence[Fault],
) -> dict[str, Any]:
    """Watts of each domain (the outer list, in ``hello``'s order) at each of ``t_s`` (the inner).

    ``low_w`` and ``high_w`` bound each domain's latest watts (95 %); null where a sensor's own uncertainty is all.
    """
    return message(
        "samples", t_s=[round(t, 3) for t in t_s], w=[[_short(value) for value in row] for row in w],
        low_w=[_short(value) for value in low_w], high_w=[_short(value) for value in high_w], gauges=list(gauges),
        faults=[fault_in_short(fault) for fault in faults],
    )  # fmt: skip


def began(*, window: str, cell_id: str | None, t_s: float, label: str, count: int | None) -> dict[str, Any]:
    """A cell's window has been opened."""
    return message("began", window=window, cell_id=cell_id, t_s=t_s, label=label, count=count)


def ended(measurement: Measurement, *, source: str, session: Mapping[str, Any]) -> dict[str, Any]:
    """A cell has been measured; ``source`` is its first line, ``session`` what :func:`session_total` says now."""
    whole = {"net_u_j": None, **measurement_to_dict(measurement)}
    return {
        "v": VERSION, "type": "ended", "t0_s": measurement.window.t0_ns / 1e9, "t1_s": measurement.window.t1_ns / 1e9,
        "source": source, "measurement": whole, "session": dict(session),
    }  # fmt: skip


def session_total(total: Total, runs: int) -> dict[str, Any]:
    """What every cell's runs cost together since the kernel began."""
    return {
        "runs": runs, "total_j": _plain(total.total_j), "low_j": _plain(total.low_j), "high_j": _plain(total.high_j),
        "net_j": _plain(total.net_j), "co2e_g": _plain(total.co2e_g), "duration_s": total.duration_s,
        "method": None if total.method is None else total.method.value, "partial": total.partial,
    }  # fmt: skip


def waste(items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What is held or used while nothing runs, each as :func:`waste_item` has it; no items once that is over."""
    return message("waste", items=list(items))


def waste_item(
    *,
    kind: str,
    domain: Domain | None,
    label: str,
    seconds: float,
    why: str,
    code: str,
    watts: float | None = None,
    method: Method | None = None,
    joules: float | None = None,
    mem_b: int | None = None,
    cpus: float | None = None,
) -> dict[str, Any]:
    """One thing that is held or used ("gpu" or "cpu") while nothing runs.

    Nothing has run for ``seconds``; ``joules`` were drawn meanwhile as far as that was watched, None where it was not.
    ``mem_b`` is held, ``cpus`` are kept busy. ``code`` releases it, "" where only a restart would.
    """
    return {
        "kind": kind, "domain": None if domain is None else domain_id(domain), "label": label, "watts": _short(watts),
        "method": None if method is None else method.value, "seconds": round(seconds, 1), "joules": _short(joules),
        "mem_b": mem_b, "cpus": None if cpus is None else round(cpus, 2), "why": why, "code": code,
    }  # fmt: skip


def findings(found: Sequence[Finding], *, can_try: Callable[[str], bool] = lambda _code: False) -> dict[str, Any]:
    """The advisor's findings, all of them: what is not in the list any more is settled.

    ``can_try`` is told a rule's code, and says whether some variant answers it.
    """
    return message("findings", findings=[finding_to_dict(it, can_try=can_try(it.rule.code)) for it in found])


def finding_to_dict(finding: Finding, *, can_try: bool = False) -> dict[str, Any]:
    """A finding as JSON values; ``can_try`` is whether some variant answers its rule."""
    rule = finding.rule
    severity = finding.severity or rule.severity
    return {
        "code": rule.code, "name": rule.name, "framework": rule.framework, "severity": severity.value,
        "source": rule.source, "wrong_when": list(rule.wrong_when), "key": finding.key, "subject": finding.subject,
        "cell_id": finding.cell_id, "execution_count": finding.execution_count, "cells": finding.cells,
        "at_stake_s": _short(finding.at_stake_s), "at_stake_j": _short(finding.at_stake_j),
        "method": None if finding.method is None else finding.method.value,
        "evidence": [{"name": it.name, "value": _plain(it.value), "unit": it.unit} for it in finding.evidence],
        "suggestion": finding.suggestion.text, "code_change": finding.suggestion.code,
        "trial": None if finding.trial is None else finite(finding.trial.to_dict()), "can_try": can_try,
    }  # fmt: skip


def finding_from_dict(data: Mapping[str, Any]) -> Finding:
    """The finding that :func:`finding_to_dict` wrote; a trial's measurements are not in it, so the trial is left out.

    Raises:
        KeyError, TypeError, ValueError: it is no finding.
    """
    severity = Severity(data["severity"])
    return Finding(
        rule=Rule(
            code=str(data["code"]), name=str(data["name"]), framework=str(data["framework"]), severity=severity,
            since=str(data.get("since", "")), source=str(data["source"]),
            wrong_when=tuple(map(str, data.get("wrong_when", ()))),
        ),
        cell_id=data["cell_id"],
        evidence=tuple(
            Evidence(name=str(it["name"]), value=math.nan if it["value"] is None else float(it["value"]),
                     unit=str(it["unit"]))
            for it in data["evidence"]
        ),
        suggestion=Suggestion(text=str(data["suggestion"]), code=str(data["code_change"])),
        subject=str(data.get("subject", "")),
        execution_count=data.get("execution_count"),
        cells=int(data.get("cells", 1)),
        at_stake_s=data.get("at_stake_s"),
        at_stake_j=data.get("at_stake_j"),
        method=None if data.get("method") is None else Method(data["method"]),
    )  # fmt: skip


def watching(*, hz: float, re: str) -> dict[str, Any]:
    """The stream is sent ``hz`` samples a second from now on; 0 is none."""
    return message("watching", hz=hz, re=re)


def history(
    *,
    cells: Sequence[Mapping[str, Any]],
    session: Mapping[str, Any],
    t_s: Sequence[float],
    w: Sequence[Sequence[float | None]],
    re: str,
) -> dict[str, Any]:
    """What happened before the page asked: ``ended`` messages, oldest first, and watts as in ``samples``."""
    return message(
        "history", cells=list(cells), session=dict(session), t_s=[round(t, 3) for t in t_s],
        w=[[_short(value) for value in row] for row in w], re=re,
    )  # fmt: skip


def bye(reason: str) -> dict[str, Any]:
    """The kernel stops speaking."""
    return message("bye", reason=reason)


def refused(reason: str, *, re: str) -> dict[str, Any]:
    """A question that cannot be answered, and why."""
    return message("refused", reason=reason, re=re)


def asked(data: object) -> tuple[str, str, dict[str, Any]]:
    """What a page asks: the question, its id, and its fields.

    Raises:
        BadInputError: it is no question that this greennb understands.
    """
    if not isinstance(data, Mapping) or not isinstance(data.get("ask"), str) or not isinstance(data.get("id"), str):
        raise BadInputError("This is no question to greennb: it needs the texts ask and id.")
    version, question = data.get("v"), data["ask"]
    if version != VERSION:
        raise BadInputError(f"This page speaks version {str(version)[:20]} and this kernel {VERSION}: upgrade greennb.")
    if question not in ASKS:
        raise BadInputError(f'This kernel knows no question "{question[:40]}": upgrade greennb in the kernel.')
    return question, data["id"][:100], {str(key): value for key, value in data.items() if key not in ("v", "ask", "id")}


def pace(value: object) -> float:
    """Samples a second that a page asks for, within what is allowed; 0 for none.

    Raises:
        BadInputError: it is no number of at least 0.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise BadInputError("hz must be a number of samples a second, 0 for none.")
    return 0.0 if value == 0 else float(min(FASTEST_HZ, max(SLOWEST_HZ, value)))


def finite(value: Any) -> Any:
    """``value`` with null for every number in it that is not finite, and "?" for every half of a surrogate pair."""
    if isinstance(value, Mapping):
        return {key: finite(it) for key, it in value.items()}
    if isinstance(value, list):
        return [finite(it) for it in value]
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else _plain(value)


def _short(value: float | None) -> float | None:
    """A number to its thousandth: what is finer than a milliwatt is noise, and costs a page a third of its reading."""
    return None if value is None or not math.isfinite(value) else round(value, 3)


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
