"""An energy statement as a model card's metadata, ``co2_eq_emissions``, as the Hugging Face Hub reads it.

The keys are those of https://huggingface.co/docs/hub/model-cards-co2: grams of CO2 equivalent as a number, and text.
"""

from __future__ import annotations

import json

from greennb.model.errors import BadInputError
from greennb.model.statement import Statement
from greennb.views.format import plain
from greennb.views.statement.paragraph import hardware, location, source

_TEXT = 1000


def yaml(statement: Statement) -> str:
    """The block to put between the ``---`` lines at the top of a model card.

    Raises:
        BadInputError: there are no grams to tell.
    """
    if statement.total.total_j is None:
        raise BadInputError("A model card needs grams of CO2e, and no joules were measured: see `greennb doctor`.")
    if statement.g_co2e is None:
        raise BadInputError("A model card needs grams of CO2e: name the place with --zone, or give --intensity.")
    fields = {
        "source": source(statement),
        "training_type": statement.training_type,
        "geographical_location": location(statement),
        "hardware_used": hardware(statement),
    }
    lines = ["co2_eq_emissions:", f"  emissions: {_number(statement.g_co2e)}"]
    lines += [f"  {name}: {_text(words)}" for name, words in fields.items() if words]
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    """Three digits, as nobody knows more; without an exponent, which YAML 1.1 takes for text unless it has a point."""
    return f"{float(f'{value:.3g}'):.15f}".rstrip("0").rstrip(".") if value else "0"


def _text(words: str) -> str:
    """A double-quoted scalar: JSON's strings are YAML's, once what is not printable is gone."""
    return json.dumps(plain(words, _TEXT), ensure_ascii=False)
