"""The errors of greennb. Each message is one sentence that says what to do; only fronts translate them."""

from __future__ import annotations


class GreennbError(Exception):
    """Something that the user asked for cannot be done; the message says what to do instead."""


class BadInputError(GreennbError):
    """An option, setting or file that the user gave is not usable."""


class UnknownZoneError(BadInputError):
    """A country, region or cloud zone that no carbon table knows."""


class LedgerError(GreennbError):
    """The ledger cannot be read or written."""


class NotebookError(GreennbError):
    """A notebook cannot be read or executed."""
