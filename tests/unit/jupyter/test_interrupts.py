"""A trial ends at once, wherever the wish comes from; what comes after it, or puts things back, is not interrupted."""

from __future__ import annotations

import signal
import threading

import pytest

from greennb.advisor.trial.base import Stop, Stopped
from greennb.advisor.trial.shadow import surely
from greennb.jupyter.interrupts import Interrupts, run_interruptibly

pytestmark = pytest.mark.skipif(
    threading.current_thread() is not threading.main_thread(), reason="signals are the main thread's"
)


def for_ever() -> None:
    """A user's loop that asks nobody."""
    while True:
        pass


def later(*events: threading.Event, do) -> threading.Thread:
    thread = threading.Thread(target=lambda: ([event.wait() for event in events], do()))
    thread.start()
    return thread


def test_another_thread_ends_a_loop_that_asks_nobody_and_the_handler_is_put_back():
    """The page's Stop: the flag is set for whoever looks at it, and an interrupt comes for who does not."""
    before = signal.getsignal(signal.SIGINT)
    stop, begun = Stop(), threading.Event()
    interrupts = Interrupts(stop.set)

    def run():
        begun.set()
        for_ever()

    thread = later(begun, do=interrupts.now)
    with pytest.raises(KeyboardInterrupt):
        run_interruptibly(interrupts, run)
    thread.join()
    assert stop.wanted
    assert interrupts.from_elsewhere
    assert signal.getsignal(signal.SIGINT) is before


def test_the_kernels_button_ends_it_too_and_is_known_as_such():
    stop = Stop()
    interrupts = Interrupts(stop.set)

    def run():
        signal.raise_signal(signal.SIGINT)
        for_ever()

    with pytest.raises(KeyboardInterrupt):
        run_interruptibly(interrupts, run)
    assert stop.wanted
    assert not interrupts.from_elsewhere


def test_what_puts_things_back_is_never_interrupted_and_the_trial_ends_all_the_same():
    """A hundred interrupts while a trial's own code puts back: none is raised there, one afterwards."""
    interrupts, done = Interrupts(Stop().set), []

    def put_back():
        for _ in range(100):
            signal.raise_signal(signal.SIGINT)
        done.append("put back")

    def run():
        surely(put_back)
        done.append("and on")
        for_ever()

    with pytest.raises(KeyboardInterrupt):
        run_interruptibly(interrupts, run)
    assert done == ["put back", "and on"]


def test_a_loop_that_catches_interrupts_sees_the_flag():
    """Many a training loop catches KeyboardInterrupt to end early: the next step still ends the trial."""
    stop = Stop()
    interrupts = Interrupts(stop.set)

    def run():
        try:
            signal.raise_signal(signal.SIGINT)
            for_ever()
        except KeyboardInterrupt:
            stop.check()

    with pytest.raises(Stopped):
        run_interruptibly(interrupts, run)


def test_no_interrupt_reaches_what_comes_after_the_trial():
    """Stopped again and again, at whatever instant: what is raised is raised within the trial."""
    inside = after = 0
    for n in range(300):
        begun = threading.Event()
        interrupts = Interrupts(Stop().set)

        def run(n=n, begun=begun):
            begun.set()
            for _ in range(50 * n):
                pass

        thread = later(begun, do=interrupts.now)
        try:
            run_interruptibly(interrupts, run)
        except KeyboardInterrupt:
            inside += 1
        try:
            for _ in range(1000):
                pass
            thread.join()
        except KeyboardInterrupt:
            after += 1
    assert after == 0
    assert not interrupts.now()


def test_an_error_of_the_trial_goes_through_and_nothing_is_left():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError):
        run_interruptibly(Interrupts(Stop().set), lambda: 1 / 0)
    assert signal.getsignal(signal.SIGINT) is before
