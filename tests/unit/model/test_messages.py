"""The messages between kernel and page: what is written is real JSON for both languages, what is asked is guarded.

The golden files in ``tests/data/messages`` are read by the page's tests too; ``make.py`` beside them writes them.
"""

from __future__ import annotations

import importlib.util
import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greennb.model import messages
from greennb.model.errors import BadInputError
from greennb.model.wire import measurement_from_dict

GOLDEN = Path(__file__).parents[2] / "data" / "messages"


def _make():
    spec = importlib.util.spec_from_file_location("make_messages", GOLDEN / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MAKE = _make()
MADE = MAKE.messages()


@pytest.mark.parametrize("name", MADE)
def test_a_golden_file_is_what_we_write(name):
    """Byte for byte: the page's tests read these files."""
    assert (GOLDEN / f"{name}.json").read_text(encoding="utf-8") == MAKE.document(MADE[name])


def test_every_type_of_message_has_a_golden_file_called_by_it_and_no_other_file_is_there():
    """A message that is added without its golden file, and so without a guard in the page, fails here."""
    stems = {path.stem for path in GOLDEN.glob("*.json")}
    assert stems == set(MADE)
    made = {message["type"] for message in MADE.values() if "type" in message}
    assert made == messages.STREAM_TYPES | messages.ANSWER_TYPES
    assert all(name.partition("-")[0] == message.get("type", "ask") for name, message in MADE.items())
    assert {f"ask-{question}" for question in messages.ASKS} <= stems


def test_answers_say_what_they_answer_and_the_stream_does_not():
    for name, message in MADE.items():
        kind = message.get("type")
        if kind in messages.ANSWER_TYPES - messages.STREAM_TYPES or name.endswith("-answer"):
            assert isinstance(message["re"], str), name
        elif kind is not None:
            assert "re" not in message, name


@pytest.mark.parametrize("question", sorted(messages.ASKS))
def test_what_a_page_asks_is_understood(question):
    asked = json.loads((GOLDEN / f"ask-{question}.json").read_text())
    found, re, fields = messages.asked(asked)
    assert (found, re) == (question, f"q-{question}")
    assert fields == {key: value for key, value in asked.items() if key not in ("v", "ask", "id")}


def test_the_measurement_in_a_message_is_the_one_of_the_wire():
    ended = json.loads((GOLDEN / "ended.json").read_text())
    assert measurement_from_dict(ended["measurement"]) == MAKE.cell()


def test_what_is_no_number_is_null_and_never_0():
    said = messages.samples(
        t_s=[1.00049], w=[[math.nan], [None]], low_w=[math.inf, None], high_w=[None, None], gauges=[], faults=[]
    )
    assert said["w"] == [[None], [None]]
    assert said["low_w"] == [None, None]
    assert said["t_s"] == [1.0]
    assert messages.gauge(None, util=math.nan)["util"] is None


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (None, "needs the texts ask and id"),
        ([], "needs the texts ask and id"),
        ({"ask": "hello"}, "needs the texts ask and id"),
        ({"ask": 1, "id": "a", "v": 1}, "needs the texts ask and id"),
        ({"ask": "hello", "id": "a"}, "speaks version None"),
        ({"ask": "hello", "id": "a", "v": 99}, "upgrade greennb"),
        ({"ask": "hello", "id": "a", "v": "1" * 5000}, "upgrade greennb"),
        ({"ask": "explode" * 5000, "id": "a", "v": 1}, "upgrade greennb in the kernel"),
    ],
)
def test_what_is_no_question_is_refused_in_one_short_sentence(data, sentence):
    with pytest.raises(BadInputError, match=sentence) as refused:
        messages.asked(data)
    assert len(str(refused.value)) < 300


KEYS = st.sampled_from(["v", "ask", "id", "hz", "stream"])
LEAVES = st.none() | st.booleans() | st.floats() | st.text()


@given(st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner)))
def test_whatever_comes_it_is_a_question_or_bad_input(data):
    try:
        question, re, _fields = messages.asked(data)
    except BadInputError:
        return
    assert question in messages.ASKS
    assert isinstance(re, str)


@pytest.mark.parametrize(
    ("hz", "given"), [(0, 0.0), (0.0, 0.0), (1, 1.0), (2.5, 2.5), (1000, 10.0), (1e-9, 0.2), (10**400, 10.0)]
)
def test_a_pace_is_kept_within_what_is_allowed(hz, given):
    assert messages.pace(hz) == given


@pytest.mark.parametrize("hz", [None, True, "2", -1, math.nan, math.inf, [2], {}])
def test_what_is_no_pace_is_bad_input(hz):
    with pytest.raises(BadInputError, match="hz must be a number"):
        messages.pace(hz)
