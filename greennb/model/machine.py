"""A computer that work ran on, as far as a reader of its joules wants to know it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What a computer says of itself; "" and None where it does not tell.

    ``cpus`` are logical CPUs, ``memory_b`` bytes of memory that the process could use (a container's limit where it
    has one), ``system`` the operating system and its release, ``python`` and ``greennb`` versions. ``recorded`` says
    that it was written down when the work ran; else it is what this machine, of the same name, says now.
    """

    host: str
    cpu: str = ""
    cpus: int | None = None
    memory_b: int | None = None
    system: str = ""
    python: str = ""
    greennb: str = ""
    recorded: bool = False
