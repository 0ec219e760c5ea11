"""The dashboard's chart: what lies where, what is left open, and what it says to who cannot see it."""

import math
import re
import xml.etree.ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from greennb.model.reading import DomainKind, Method
from greennb.views.live_chart import HEIGHT, WIDTH, Band, Curve, summary, svg


def curve(*w, kind=DomainKind.CPU_PACKAGE, method=Method.COUNTER, label="CPU"):
    return Curve(label=label, kind=kind, method=method, w=list(w))


def drawn(t_s, curves, bands=(), span_s=60.0):
    return ET.fromstring(svg(t_s, curves, bands, span_s=span_s, name="n"))


def of(chart, name):
    return [each for each in chart.iter() if name in (each.get("class") or "").split()]


def points(path):
    return [tuple(map(float, pair.split(","))) for pair in re.findall(r"[\d.]+,[\d.]+", path.get("d"))]


class TestPlaces:
    def test_the_latest_watts_lie_at_the_right_edge_and_the_span_at_the_left(self):
        (area,) = of(drawn([0.0, 30.0, 60.0], [curve(10, 10, 10)]), "gnb-edge")
        assert area.get("d").count("M") == 3, "half a minute of silence is no line"
        xs = [x for x, _y in points(area)]
        assert xs == sorted(xs)
        assert (xs[0], xs[-1]) == (44.0, WIDTH - 8)

    def test_devices_are_stacked_on_one_another(self):
        low, high = of(drawn([0.0, 1.0], [curve(10, 10), curve(30, 30, kind=DomainKind.GPU)]), "gnb-edge")
        ground = HEIGHT - 22
        of_low, of_both = (ground - points(edge)[0][1] for edge in (low, high))
        assert math.isclose(of_both, 4 * of_low, abs_tol=0.5)

    def test_more_watts_are_higher(self):
        (edge,) = of(drawn([0.0, 1.0], [curve(10, 20)]), "gnb-edge")
        (_x0, y0), (_x1, y1) = points(edge)
        assert y1 < y0

    def test_a_cell_is_a_band_over_its_time_with_its_number(self):
        bands = [Band(name="[3]", t0_s=10.0, t1_s=40.0), Band(name="[4]", t0_s=50.0, t1_s=None)]
        chart = drawn([float(t) for t in range(61)], [curve(*[5] * 61)], bands)
        ended, running = of(chart, "gnb-cellband")
        assert math.isclose(float(ended.get("width")), 30 / 60 * (WIDTH - 52), abs_tol=0.1)
        assert float(running.get("x")) + float(running.get("width")) == WIDTH - 8
        assert "gnb-runs" in running.get("class")
        assert "[3]" in "".join(chart.itertext())
        assert "[4]" in "".join(chart.itertext())

    def test_cells_before_the_span_are_left_out(self):
        assert of(drawn([100.0, 101.0], [curve(1, 1)], [Band(name="[1]", t0_s=0.0, t1_s=40.0)]), "gnb-cellband") == []


class TestWhatIsMissing:
    def test_a_failed_reading_is_a_gap_and_a_stripe_and_never_zero(self):
        t_s = [float(t) for t in range(10)]
        w = [20.0] * 4 + [None] * 3 + [20.0] * 3
        chart = drawn(t_s, [curve(*w)])
        (edge,), (stripe,) = of(chart, "gnb-edge"), of(chart, "gnb-failed")
        assert edge.get("d").count("M") == 2
        assert len({y for _x, y in points(edge)}) == 1
        assert float(stripe.get("width")) > 0

    def test_nothing_at_all_still_draws(self):
        for t_s, curves in (([], []), ([], [curve()]), ([1.0], [curve(None)]), ([1.0], [])):
            assert "nothing has been read yet" in drawn(t_s, curves).get("aria-label")


class TestEstimates:
    def test_an_estimate_is_hatched_and_dashed_and_its_words_carry_a_tilde(self):
        chart = drawn([0.0, 1.0], [curve(44, 44, method=Method.ESTIMATED)])
        (pattern,) = chart.iter("pattern")
        assert len(list(pattern)) == 2
        assert of(chart, "gnb-edge")[0].get("stroke-dasharray")
        assert "~44 W" in chart.get("aria-label")

    def test_a_counter_is_neither(self):
        chart = drawn([0.0, 1.0], [curve(44, 44)])
        (pattern,) = chart.iter("pattern")
        assert len(list(pattern)) == 1
        assert of(chart, "gnb-edge")[0].get("stroke-dasharray") is None
        assert "44.0 W" in chart.get("aria-label")


def test_words_say_now_and_between_what():
    words = summary([0.0, 1.0, 2.0], [curve(10, 30, 20, label="CPU <b>")], span_s=60)
    assert words == "Power over the last 1 min: now 20.0 W, between 10.0 W and 30.0 W. CPU <b>."


def test_labels_are_escaped():
    drawing = svg(
        [0.0, 5.0], [curve(1, 1, label="<script>")], [Band(name="<i>", t0_s=0, t1_s=None)], span_s=6, name="n"
    )
    assert "<script>" not in drawing
    assert "<i>" not in drawing


@given(
    st.lists(st.floats(0, 1e6) | st.none(), min_size=1, max_size=400),
    st.floats(0.01, 100),
    st.floats(1, 3600),
)
def test_whatever_comes_the_drawing_is_xml_within_its_frame(w, step_s, span_s):
    t_s = [at * step_s for at in range(len(w))]
    chart = drawn(t_s, [curve(*w), curve(*w, kind=DomainKind.GPU)], span_s=span_s)
    for path in chart.iter("path"):
        if path.get("d"):
            assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points(path))
