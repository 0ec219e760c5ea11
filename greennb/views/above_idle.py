"""Net, idle and own share in words: what each rests on, how old that is, and why one is missing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

from greennb.model.idle import FRESH, IdleBasis, IdleOrigin
from greennb.model.measurement import Measurement
from greennb.model.total import Total
from greennb.views.format import energy, joules, percent, plain, seconds, watts
from greennb.views.words import domain_name

NO_MORE = "no more than idle"


def net_words(measurement: Measurement) -> str:
    """The joules above idle with their interval, or that there were none to be told; "" without a baseline."""
    net_j, u_j = measurement.net_j, measurement.net_u_j
    if net_j is None:
        return ""
    half_j = 1.96 * (u_j or 0.0)
    if net_j == 0:
        return NO_MORE if u_j is None else f"{NO_MORE}, or up to {joules(half_j)} more"
    return f"{energy(net_j, max(0.0, net_j - half_j), net_j + half_j, measurement.method)} above idle"


def idle_sentences(measurement: Measurement) -> list[str]:
    """For each domain's idle power what it is and where it comes from; domains that rest on the same are one line."""
    at, duration_s = measurement.window.started_at, measurement.duration_s
    lines: dict[str, list[str]] = {}
    for part in measurement.roots:
        seen_s = duration_s * part.coverage
        if part.idle_j is None or part.idle_basis is None or seen_s <= 0:
            continue
        power = f"{domain_name(part.domain, 24)} {watts(part.idle_j / seen_s, part.method)}"
        lines.setdefault(basis_words(part.idle_basis, at), []).append(power)
    return [f"{', '.join(powers)}, {basis}" for basis, powers in lines.items()]


def basis_words(basis: IdleBasis, at: datetime) -> str:
    """What an idle power rests on, as seen at ``at``: "learnt 4 min ago over 30.0 s, the machine 1 % busy"."""
    if basis.origin is IdleOrigin.MODEL:
        return "the idle figure of the estimate's model"
    how = "measured" if basis.origin is IdleOrigin.ASKED else "learnt"
    words = f"{how} {_ago(basis, at)} over {seconds(basis.over_s)}"
    words += "" if basis.busy is None else f", the machine {percent(basis.busy)} busy"
    if basis.stale(at):
        return f"{words}; older than {_hours()}: measure again with %energy_baseline"
    return words


def share_words(measurement: Measurement) -> str:
    """This process's joules and that a model says so; or why there are none, where that is known."""
    if measurement.process_j is not None:
        return f"~{joules(measurement.process_j)} by this process, a model's share of what is above idle"
    reasons = dict.fromkeys(plain(part.process_note, 120) for part in measurement.roots if part.process_j is None)
    told = "; ".join(reason for reason in reasons if reason)
    return f"not known: {told}" if told else ""


def run_words(measurements: Sequence[Measurement]) -> str:
    """Net and own share of several windows: "12.3 J above idle, ~11.0 J of it by this process (a model)".

    "" unless every one has a net. Windows without a share, as short ones, are counted out and said.
    """
    total = Total.of(measurements)
    if total.net_j is None:
        return ""
    words = f"{joules(total.net_j, total.method)} above idle" if total.net_j else NO_MORE
    shares = [part.process_j for part in measurements if part.process_j is not None]
    if not shares:
        return words
    words += f", ~{joules(math.fsum(shares))} of it by this process (a model"
    left = sum(1 for part in measurements if part.process_j is None and part.total_j is not None)
    return words + (f"; without {left} cell{'' if left == 1 else 's'} whose share is not known)" if left else ")")


def _ago(basis: IdleBasis, at: datetime) -> str:
    age = basis.age(at)
    age_s = 0.0 if age is None else age.total_seconds()
    if age_s < 0:
        return "just after"
    return "just before" if age_s < 60 else f"{seconds(60 * round(age_s / 60))} ago"


def _hours() -> str:
    hours = FRESH.total_seconds() / 3600
    return "an hour" if hours == 1 else f"{hours:g} hours"
