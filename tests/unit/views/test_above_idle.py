"""Idle, net and own share in words: with their conditions, stale in words, and never less than nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from greennb.model.idle import IdleBasis, IdleOrigin
from greennb.model.wire import measurement_from_dict, measurement_to_dict
from greennb.views import html, text
from greennb.views.above_idle import basis_words, idle_sentences, net_words, share_words
from greennb.views.shown import Shown


def basis(samples, minutes, origin=IdleOrigin.LEARNT, busy=0.01):
    return IdleBasis(origin=origin, as_of=samples.START - timedelta(minutes=minutes), over_s=30.0, busy=busy)


def measured(samples, gross=50.0, idle=12.3, minutes=4, u=0.5, **more):
    part = samples.energy(samples.CPU, gross, 1.0, idle=idle)
    known = {"idle_u_j": u, "idle_basis": basis(samples, minutes)} | more
    return samples.measurement(replace(part, **known), seconds=1.0)


def test_a_baseline_says_when_over_how_long_and_how_quiet(samples):
    assert idle_sentences(measured(samples)) == [
        "CPU package-0 12.3 W, learnt 4 min ago over 30.0 s, the machine 1 % busy"
    ]


@pytest.mark.parametrize("minutes", [61, 600, 60 * 24 * 9])
def test_an_old_baseline_says_what_to_do(samples, minutes):
    words = basis_words(basis(samples, minutes), samples.START)
    assert words.endswith("older than an hour: measure again with %energy_baseline")
    assert words in text.block(measured(samples, minutes=minutes))
    assert words in html.card(measured(samples, minutes=minutes))


@pytest.mark.parametrize("minutes", [-3, 0, 59])
def test_a_fresh_one_does_not(samples, minutes):
    assert "older" not in basis_words(basis(samples, minutes), samples.START)


def test_an_estimates_idle_is_its_models(samples):
    assert "model" in basis_words(IdleBasis(origin=IdleOrigin.MODEL), samples.START)


def test_net_has_an_interval_and_is_never_less_than_nothing(samples):
    assert net_words(measured(samples)).startswith("37.7 J ± ")
    less = measured(samples, gross=12.0)
    assert less.net_j == 0
    assert net_words(less).startswith("no more than idle, or up to ")
    assert text.line(less, Shown(net=True)).startswith("no more than idle")
    assert net_words(samples.estimated()) == ""


def test_a_share_is_called_a_model_and_a_missing_one_says_why(samples):
    known = measured(samples, process_j=20.0)
    assert share_words(known) == "~20.0 J by this process, a model's share of what is above idle"
    missing = measured(samples, process_note="too short to tell: CPU times want 0.1 s")
    assert share_words(missing) == "not known: too short to tell: CPU times want 0.1 s"
    for shown in (text.block(missing), html.card(missing)):
        assert "too short to tell" in shown
    assert share_words(samples.estimated()) == ""


def test_it_all_goes_over_the_wire(samples):
    before = measured(samples, process_j=20.0, process_note="by CPU time")
    data = measurement_to_dict(before)
    assert data["domains"][0]["idle_basis"]["origin"] == "learnt"
    assert measurement_from_dict(data).energies == before.energies


def test_who_knows_nothing_of_idle_writes_no_key_of_it(samples):
    """Readers of schema 1 from before these keys see what they always saw."""
    assert not {"idle_u_j", "net_u_j", "idle_basis", "process_note"} & set(
        measurement_to_dict(samples.estimated())["domains"][0]
    )
