"""What may be drawn at an edge of which nothing was seen: as much as lately."""

from greennb.meter.peaks import ENOUGH, LATELY_NS, Peaks

MS = 1_000_000


def test_the_heaviest_stretch_of_the_last_minute_counts() -> None:
    peaks = Peaks()
    for number in range(ENOUGH):
        assert peaks.power_w(0, 0) is None, "too little was seen"
        peaks.add(0, number, 100 * MS, MS, 40.0 + number)
    assert peaks.power_w(0, ENOUGH) == 40.0 + ENOUGH - 1
    assert peaks.power_w(1, ENOUGH) is None, "each channel has its own"
    assert peaks.power_w(0, 2 * LATELY_NS) is None, "that is long ago"


def test_stretches_of_few_refreshes_say_nothing() -> None:
    peaks = Peaks()
    for _ in range(2 * ENOUGH):
        peaks.add(0, 0, 5 * MS, MS, 500.0)
    assert peaks.power_w(0, 0) is None
