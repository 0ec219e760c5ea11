"""JAX computes in 64 bits

**Seen.** `jax_enable_x64` is on, and arrays of 64-bit floating point among the notebook's names that this cell reads
or makes, 8 MiB or more of them.

**Why.** A 64-bit number takes twice the memory and its traffic. Most graphics cards have a small fraction of their
32-bit units for 64 bits, and processors do half as many at a time.

**Change.** Leave `jax_enable_x64` off, which is JAX's default; where only a part needs 64 bits, `jax.enable_x64`
around that part, or `.astype(jnp.float32)` on the large arrays.

**Not where**

- 64 bits are what the work is about: ill-conditioned linear algebra, long integrations, finite differences,
  statistics of large sums;
- results must match another program's.

**Check.** The difference of the results against what you can accept; then the joules of the cell.

**Sources.** [JAX: double precision](https://docs.jax.dev/en/latest/default_dtypes.html). The floor of 8 MiB, beyond
most caches, and 1 s are ours.
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.signals.cell import CellContext
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB502",
    name="Leave 64-bit floats off in JAX",
    framework="jax",
    severity=Severity.NOTE,
    since="0.2",
    source="JAX documentation on default dtypes and double precision",
    wrong_when=("64 bits are what the work needs", "results must match another program's"),
)

LEAST_B = 8 * 2**20
"""Bytes of float64 arrays below which nothing is said (ours): less stays in most caches."""

LEAST_S = 1.0
"""Seconds of the cell below which nothing is said (ours)."""


def check(cell: CellContext) -> Iterator[Found]:
    """Cells that work on large 64-bit arrays."""
    if cell.jax is None or not cell.jax.x64 or cell.duration_s < LEAST_S or cell.jax.float64_b < LEAST_B:
        return
    used = _used(cell)
    if not used:
        return
    name = used[0]
    yield Found(
        evidence=(
            evidence("float64 arrays among the names", cell.jax.float64_b, "B"),
            evidence("float32 arrays", cell.jax.float32_b, "B"),
            evidence("the cell", cell.duration_s, "s"),
        ),
        text=f"jax_enable_x64 is on, and {', '.join(used[:3])} {'is' if len(used) == 1 else 'are'} in float64. Unless "
        "these digits are needed, leave it off.",
        code=f'jax.config.update("jax_enable_x64", False)\n{name} = {name}.astype("float32")'
        if name.isidentifier()
        else 'jax.config.update("jax_enable_x64", False)',
        share=1.0,
        subject=name,
    )


def _used(cell: CellContext) -> list[str]:
    """The 64-bit names that the cell's source reads or binds; without a source all, where JAX compiled something."""
    if cell.jax is None:
        return []
    if cell.code is None:
        return list(cell.jax.float64_names) if cell.jax.compiles else []
    touched = {*cell.code.reads, *cell.code.writes}
    return [name for name in cell.jax.float64_names if name in touched]
