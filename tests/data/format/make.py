"""Writes format.json beside it: ``python tests/data/format/make.py [FOLDER]``.

Each case is a function of ``greennb/views/format.py``, its arguments and the text it gives. pytest holds
``views/format.py`` to it, jest the page's ``format.ts``, so that a number reads the same everywhere.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

from greennb.model.reading import Method
from greennb.views import format as views

METHODS = (None, "counter", "integrated", "estimated")
EDGES = (
    None, 0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2.5, 0.125, 9.995, 99.95, 999.5, 999.4999, 1000.0, 1234.5, 12345.0, 1e5, 1e6,
    999949.9, 1e-3, 9.99e-4, 1e-9, 9.9e-10, 1e-12, 1e-13, 3e-15, 1e12, 9.99e14, 1.25e15, 1e18, 2.5e19, 1e22, 1e30,
    1e300, -41.25, -1234.5, -1e-6, 0.0995, 0.09949, 119.5, 119.49, 60.0, 59.5, 3599.5, 3600.0, 172800.0, 172799.0, 1e9,
    4.35, 43.85, 62.0, 0.3, 0.1 + 0.2,
)  # fmt: skip
TEXTS = (
    "", "GPU 0", "  two   blanks ", "tab\tand\nline", "\x1b[31mred\x1b[0m", "\x1b]8;;http://x\x07link\x1b]8;;\x07",
    "\x9b1mbold", "abc\u202egnp.exe", "zero\u200bwidth\ufeff", "nul\x00byte\x7f", "<script>alert(1)</script>",
    "naïve café", "😀 smile", "no\u00a0break", "para\u2029graph\x85next", "a" * 60, "word " * 20,
    "\u2066isolated\u2069", "عربى", "\u0430\u0301",
)  # fmt: skip


def cases() -> list[dict[str, Any]]:
    """Every case, edges first, then numbers of all sizes from a seeded generator."""
    random_numbers = random.Random(4)
    sizes = [random_numbers.choice((1, 1, 1, -1)) * 10 ** random_numbers.uniform(-13, 17) for _ in range(60)]
    halves = [random_numbers.randrange(1, 20_000) / 2 ** random_numbers.randrange(1, 9) for _ in range(60)]
    made: list[dict[str, Any]] = []
    for value in (*EDGES, *sizes, *halves):
        made += [
            _case(name, value, random_numbers.choice(METHODS))
            for name in ("joules", "watts", "watt_hours", "grams", "co2e")
            if name in ("joules", "grams") or random_numbers.random() < 0.3
        ]
        made += [_case("seconds", value), _case("percent", value, False), _case("percent", value, True)]
    made += [_case("energy", *_total(random_numbers)) for _ in range(300)]
    made += [_case("energy", total, low, high, method) for method in METHODS for total, low, high in _odd_totals()]
    made += [_case("interval", low, high) for _total_j, low, high in _odd_totals()]
    made += [_case("si_step", value) for value in EDGES if value is not None]
    made += [_case("plain", text, width) for text in TEXTS for width in (1, 12, 40)]
    return made


def _total(numbers: random.Random) -> tuple[float, float, float, str | None]:
    total = numbers.choice(
        (10 ** numbers.uniform(-6, 10), float(numbers.randrange(1, 5000)), numbers.randrange(1, 400) / 4)
    )
    below = total * 10 ** numbers.uniform(-5, 0)
    above = below if numbers.random() < 0.5 else total * 10 ** numbers.uniform(-5, 0.5)
    return total, total - below, total + above, numbers.choice(METHODS)


def _odd_totals() -> list[tuple[float | None, float | None, float | None]]:
    return [
        (None, None, None), (0.0, 0.0, 0.0), (0.0, 0.0, 3.0), (0.0, 0.0, 0.029), (41.0, None, 60.0), (41.0, 28.0, 60.0),
        (41.0, 41.0, 41.0), (41.0, 41.0, 60.0), (41.0, 0.0, 1e6), (1234.0, 1194.0, 1274.0), (999.6, 999.0, 1000.2),
        (9.1e3, 8.9e3, 9.3e3), (1e30, 9e29, 2e30), (1e-11, 0.0, 1e-10), (-5.0, -9.0, -1.0), (0.3, 0.2, 0.4),
        (12345.0, 12344.75, 12345.25), (100.0, 99.7, 100.3), (50.0, 60.0, 40.0),
    ]  # fmt: skip


def _case(name: str, *args: Any) -> dict[str, Any]:
    return {"format": name, "args": list(args), "text": written(name, args)}


def written(name: str, args: Any) -> Any:
    """What ``views/format.py`` writes; methods are given by their names, as on the wire."""
    if name == "percent":
        return views.percent(args[0], signed=args[1])
    if name == "si_step":
        return list(views.si_step(*args))
    if name in ("interval", "seconds", "plain"):
        return getattr(views, name)(*args)
    *numbers, method = args
    return getattr(views, name)(*numbers, None if method is None else Method(method))


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    lines = ",\n".join(json.dumps(case) for case in cases())
    (folder / "format.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
