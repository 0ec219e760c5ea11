"""The exposition is valid by Prometheus' own parser, and no joule is in it twice."""

from __future__ import annotations

import io

import pytest

from greennb.ledger.prometheus import write
from greennb.model.measurement import Status
from greennb.model.reading import Domain, DomainKind, Method
from tests.rig.measurements import CORE, FRANCE, GPU, PACKAGE, energy, measurement

parser = pytest.importorskip("prometheus_client.parser")


def samples(rows):
    """Every sample by its name: label sets and values."""
    stream = io.StringIO()
    write(rows, stream)
    found = {}
    for family in parser.text_string_to_metric_families(stream.getvalue()):
        assert family.type == "counter"
        assert family.documentation
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def test_joules_are_summed_by_domain_and_method(ledger, kept):
    """Two windows on one domain are one series; another method is another series."""
    kept(measurement(energy(joules=40.0), energy(GPU, 100.0)))
    kept(measurement(energy(joules=2.5)))
    kept(measurement(energy(joules=7.0, method=Method.ESTIMATED)))
    found = samples(ledger.rows())["greennb_energy_joules_total"]
    assert {(labels["kind"], labels["label"], labels["method"]): value for labels, value in found} == {
        ("cpu_package", "package-0", "counter"): 42.5,
        ("gpu", "NVIDIA H200", "counter"): 100.0,
        ("cpu_package", "package-0", "estimated"): 7.0,
    }
    assert {labels["host"] for labels, _ in found} == {"bench"}


def test_two_devices_of_one_name_are_two_series(ledger, kept):
    """The device tells them apart."""
    twins = [Domain(kind=DomainKind.GPU, host="bench", device=f"GPU-{n}", label="NVIDIA H200") for n in (1, 2)]
    kept(measurement(*(energy(twin, 10.0) for twin in twins)))
    assert len(samples(ledger.rows())["greennb_energy_joules_total"]) == 2


def test_the_sum_over_all_series_is_the_joules_that_were_used(ledger, kept):
    """A core inside its package has another metric; a window inside another one is not counted again."""
    outer = kept(measurement(energy(PACKAGE, 40.0), energy(CORE, 30.0), intensity=FRANCE))
    kept(measurement(energy(PACKAGE, 10.0), intensity=FRANCE, parent_id=outer.window.id, after_s=1))
    found = samples(ledger.rows())
    assert sum(value for _, value in found["greennb_energy_joules_total"]) == 40.0
    assert [(labels["kind"], value) for labels, value in found["greennb_contained_energy_joules_total"]] == [
        ("cpu_core", 30.0)
    ]
    ((labels, grams),) = found["greennb_co2e_grams_total"]
    assert labels == {"zone": "FRA", "origin": "static"}
    assert grams == pytest.approx(40.0 / 3.6e6 * 50)


def test_windows_are_counted_by_status(ledger, kept):
    """Also those that failed, and those inside others."""
    for status in (Status.OK, Status.OK, Status.ERROR):
        kept(measurement(energy(), status=status))
    found = samples(ledger.rows())["greennb_windows_total"]
    assert {labels["status"]: value for labels, value in found} == {"ok": 2.0, "error": 1.0}


def test_what_was_not_measured_has_no_sample(ledger, kept):
    """A 0 would be a claim."""
    kept(measurement())
    assert set(samples(ledger.rows())) == {"greennb_windows_total"}
    assert samples([]) == {}


@pytest.mark.parametrize(
    ("label", "parsed"),
    [
        ('quote " and \\ and \n end', 'quote " and \\ and \n end'),
        ('"} 1\n# EOF\ngreennb_fake 1', '"} 1\n# EOF\ngreennb_fake 1'),
        ("\\n is no line break", "\\n is no line break"),
        ("bell \x07 and \r and \u2028", "bell   and   and  "),
        ("Grüße 漢 🎉", "Grüße 漢 🎉"),
    ],
)
def test_any_label_is_escaped(ledger, kept, label, parsed):
    """No label can end its quotes, its line, or the exposition."""
    domain = Domain(kind=DomainKind.GPU, host="bench", device="d", label=label)
    kept(measurement(energy(domain, 1.0)))
    found = samples(ledger.rows())
    assert [labels["label"] for labels, _ in found["greennb_energy_joules_total"]] == [parsed]
    assert "greennb_fake" not in found


def test_half_a_surrogate_pair_can_be_written_as_utf8(ledger, kept):
    """A file would refuse it."""
    domain = Domain(kind=DomainKind.GPU, host="bench", device="d", label="\ud800")
    kept(measurement(energy(domain, 1.0)))
    stream = io.StringIO()
    write(ledger.rows(), stream)
    assert "ud800" in stream.getvalue().encode("utf-8").decode()
