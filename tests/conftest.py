"""What every test stands on."""

from __future__ import annotations

import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell's background job ignores interrupts, and tests that interrupt themselves would wait for ever.
    signal.signal(signal.SIGINT, signal.default_int_handler)
