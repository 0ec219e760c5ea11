"""What ``%energy_advise`` answers."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from greennb.advisor.catalogue import catalogue
from greennb.model.errors import BadInputError
from greennb.views.advice import Looked, bundle

if TYPE_CHECKING:
    from greennb.jupyter.session import Session

_OFF = "Advice is off in this kernel: turn it on with %energy_config advice=on, and run your cells again."


def answer(session: Session, *, code: str | None, dismiss: str | None, all_cells: bool, profile: int | None) -> None:
    """Whatever the magic was asked for.

    Raises:
        BadInputError: there is no such rule, nothing that could be dismissed, or no way to profile.
    """
    if profile is not None:
        _profile(session, profile)
    elif dismiss is not None:
        _dismiss(session, dismiss)
    elif code is not None:
        show_rule(session, code)
    else:
        advise(session, all_cells=all_cells)


def advise(session: Session, *, all_cells: bool) -> None:
    """Show what was found, of cells that are worth it, or of all; in words what was looked at where it is nothing."""
    coach = session.coach
    if coach.advisor is None:
        session.publish(
            {"text/plain": _OFF if not session.advises else "No cell has run yet: there is nothing to say."}
        )
        return
    known = coach.findings(all_cells=True)
    shown = known if all_cells else coach.findings()
    keys = {finding.key for finding in shown}
    more = sum(finding.key not in keys for finding in known)
    coach.told(shown)
    session.publish(bundle(shown, looked(session), more=more, can_try=session.can_try))


def looked(session: Session) -> Looked:
    """What the advisor of ``session`` has looked at."""
    advisor = session.coach.advisor
    if advisor is None:
        return Looked(cells=0)
    return Looked(
        cells=advisor.watched,
        frameworks=advisor.frameworks,
        rules=len(advisor.rules),
        dismissed=len(session.coach.dismissed),
        off=advisor.watch.off,
    )


def show_rule(session: Session, code: str) -> None:
    """Show the page of one rule."""
    from greennb.views.rule import page

    module = catalogue().named(code)
    text = page(module.RULE, module.__doc__)
    session.publish({"text/markdown": text, "text/plain": text})


def _profile(session: Session, steps: int) -> None:
    """Have PyTorch's profiler look at some training steps of the next cell that takes them."""
    advisor = session.coach.advisor
    if advisor is None or not session.advises:
        raise BadInputError(_OFF)
    late = advisor.watch.observer("torch", asleep=True)
    observer: Any = getattr(late, "made", late)
    why = "the advisor looks at torch no more in this kernel" if observer is None else observer.profiling.off
    if observer is None or why:
        raise BadInputError(f"%energy_advise: no steps can be profiled: {why}. Restart the kernel to try it again.")
    observer.profile_next(steps, session.say)
    text = (
        f"Training steps 3 to {steps + 2} of the next cell that trains with PyTorch are profiled, to tell what its "
        "time goes to (products of matrices, convolutions, attention, copies); that cell's joules include the "
        "profiler's cost."
    )
    if "torch" not in sys.modules:
        text += " PyTorch is not imported yet: the profiler waits for it."
    session.publish({"text/plain": text})


def _dismiss(session: Session, name: str) -> None:
    """Say no more of a rule (its code), or of one finding ("CODE SUBJECT"), while this kernel runs."""
    advisor = session.coach.advisor
    code, *subject = name.split() or [""]
    code = catalogue().named(code).RULE.code
    if advisor is None:
        raise BadInputError(_OFF)
    advisor.dismiss(" ".join([code, *subject]))
    session.advice_changed()
