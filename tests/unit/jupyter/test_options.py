"""Options as users type them, right and wrong."""

from __future__ import annotations

import pytest

from greennb.jupyter.options import flags, parse, parse_statement
from greennb.model.errors import BadInputError


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("--nonsense", "unrecognized arguments: --nonsense"),
        ("-r 0", "give 1 or more, or auto"),
        ("-r -3", "give 1 or more, or auto"),
        ("-r 2.5", "give 1 or more, or auto"),
        ("--budget x", "give a number above 0"),
        ("--budget 0", "give a number above 0"),
        ("--budget nan", "give a number above 0"),
        ("-o 1st", "no name for a variable"),
        ("-n 'open", "quotation mark is not closed"),
        ("stray words", "unrecognized arguments"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(line: str, says: str) -> None:
    with pytest.raises(BadInputError, match=r"^%%energy: .*") as caught:
        parse("%%energy", line)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("text", "joules"), [("500", 500), ("500J", 500), ("2kJ", 2000), ("1.5MJ", 1_500_000)])
def test_a_budget_may_name_its_unit(text: str, joules: float) -> None:
    assert parse("%%energy", f"--budget {text}").budget_j == joules


@pytest.mark.parametrize(
    ("line", "statement", "name", "times"),
    [
        ("f(x)", "f(x)", "", None),
        ("-r 5 f(x, '-q')", "f(x, '-q')", "", 5),
        ("-n 'two words' -r auto f( x )", "f( x )", "two words", "auto"),
        ("-q -x", None, "", None),
        ("-1 + 2", "-1 + 2", "", None),
        ("-q -- -y", "-y", "", None),
        ('print("it\'s")', 'print("it\'s")', "", None),
    ],
)
def test_a_statement_keeps_every_character_of_its_own(
    line: str, statement: str | None, name: str, times: int | str | None
) -> None:
    if statement is None:
        with pytest.raises(BadInputError):
            parse_statement("%energy", line)
        return
    options, rest = parse_statement("%energy", line)
    assert (rest, options.name, options.repeat) == (statement, name, times)


def test_every_flag_is_offered_for_completion() -> None:
    assert {"-n", "--name", "-r", "--repeat", "--budget", "--net", "--no-carbon", "--per"} <= set(flags())
