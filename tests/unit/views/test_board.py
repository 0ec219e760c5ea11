"""The dashboard's parts, made from the golden messages that the page's tests read too."""

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from greennb.jupyter.dashboard.known import Known
from greennb.views import board, tried

GOLDEN = Path(__file__).parents[2] / "data" / "messages"
EVIL = ("<img", "<script", "\u202e", "\x1b", "\x00")


def said(name):
    return json.loads((GOLDEN / f"{name}.json").read_text())


def known(*names, span_s=60.0):
    it = Known(span_s)
    for name in names:
        it.take(said(name))
    return it


def live(it):
    return board.live(
        it.domains, it.watts.t_s, it.watts.w, latest=it.latest, bands=it.bands, span_s=it.span_s, name="n"
    )


class Text(HTMLParser):
    """The words of a page, and what is open at its end."""

    def __init__(self):
        super().__init__()
        self.words, self.open = "", []

    def handle_data(self, data):
        if "style" not in self.open:
            self.words += f"{data} "

    def handle_starttag(self, tag, _attrs):
        if tag not in ("br", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def words(html):
    text = Text()
    text.feed(html)
    text.close()
    assert text.open == []
    return " ".join(text.words.split())


class TestLive:
    def test_watts_now_are_the_sum_of_the_roots_partial_where_one_is_missing(self):
        text = words(live(known("hello", "samples")))
        assert "~460 W now estimated partial" in text, "352 + 43.25 + 61, without the core, which is in the package"

    def test_each_device_has_a_row_with_its_method_and_what_could_not_be_read_says_so(self):
        text = words(live(known("hello", "samples")))
        assert "GPU NVIDIA H200 counter 352 W" in text
        assert "of which CPU cores core counter 31.5 W" in text
        assert "estimated · TDP from a table ~61 W" in text
        assert "memory dram integrated no reading" in text
        assert "Not read: dram: the GPU is lost: it fell off the bus A reboot helps." in text

    def test_an_estimate_has_its_interval_for_who_points_at_it(self):
        assert 'title="95 %: ~30 W to ~98 W"' in live(known("hello", "samples"))

    def test_before_the_first_sample_no_watts_are_told(self):
        text = words(live(known("hello")))
        assert "no watts yet" in text
        assert " 0 W" not in text

    def test_a_cell_that_runs_is_said_and_is_a_band(self):
        it = known("hello", "samples", "began")
        assert len(it.bands) == 1
        assert "running [" in words(live(it))

    def test_without_a_source_it_says_why(self):
        it = known("hello-nothing", "samples-empty")
        assert "no watts yet" in words(live(it))
        text = words(board.sensors(it.hello))
        assert "no source of joules works here" in text
        assert "nvml Why." in text

    def test_sixty_four_cards_have_a_bounded_list(self):
        html = live(known("hello-64", "samples-64"))
        assert html.count("gnb-row") <= board.ROWS_SHOWN
        assert "more devices" in words(html)


class TestSensors:
    def test_sources_that_are_not_read_have_their_reason_and_mend(self):
        text = words(board.sensors(said("hello")))
        assert "Read on bench: nvml." in text
        assert "2 sources of joules not read here, and why" in text
        assert "rapl No permission. chmod a+r energy_uj" in text


class TestCells:
    def test_a_row_has_joules_interval_method_and_grams_and_the_total_is_of_all(self):
        it = known("hello", "ended")
        text = words(board.cells(list(it.runs.values()), it.session))
        measured = next(iter(it.runs.values())).measurement
        assert measured.method.value in text
        assert "CO₂e" in text
        assert "1 cell" in text

    def test_the_latest_stand_first_and_the_others_are_counted(self):
        it = known("hello")
        for count in range(1, 13):
            run = said("ended-estimated")
            run["measurement"] |= {"id": f"w{count}", "cell_id": f"c{count}", "execution_count": count}
            it.take(run)
        text = words(board.cells(list(it.runs.values()), it.session))
        assert f"The latest {board.CELLS_SHOWN} of 12 cells." in text
        assert "12 cells" in text
        assert text.index("[12]") < text.index("[11]") < text.index("[5]")
        assert "[4]" not in text

    def test_a_cell_that_ran_again_counts_once_with_its_latest_run(self):
        it = known("hello")
        for number in (1, 2):
            run = said("ended")
            run["measurement"]["id"] = f"w{number}"
            it.take(run)
        assert len(it.runs) == 1
        assert len(it.bands) == 2

    def test_what_was_in_the_history_and_comes_on_the_stream_counts_once(self):
        it = known("hello", "ended", "ended")
        assert (len(it.runs), len(it.bands)) == (1, 1)

    def test_a_total_that_is_not_known_is_said_to_be_missing(self):
        it = known("hello", "ended-unknown")
        assert "not measured" in words(board.cells(list(it.runs.values()), it.session))

    def test_none_yet(self):
        assert "No cell has been measured yet." in words(board.cells([], None))

    def test_where_cells_are_not_measured_it_says_how_they_are(self):
        assert "%energy_auto on" in words(board.cells([], None, measures=False))
        it = known("hello", "ended")
        assert "%energy_auto on" in words(board.cells(list(it.runs.values()), it.session, measures=False))


class TestTrials:
    def test_a_plan_says_what_would_be_run_and_shows_the_change(self):
        text = words(tried.plan(said("plan"), waits=False))
        assert "This runs cell [5] on copies" in text
        assert "+model = model.to(memory_format=torch.channels_last)" in text
        assert "waits for the cell" not in text
        assert "waits for the cell" in words(tried.plan(said("plan"), waits=True))

    def test_progress_says_how_far(self):
        text = words(tried.progress(said("trial-running")))
        assert text.startswith("GNB210 model, channels_last: measuring, 4.20 s of 30.0 s and ~81 J: 3 rounds, so far")

    @pytest.mark.parametrize("name", ["trial-refused", "trial-stopped", "trial-void"])
    def test_an_end_without_a_verdict_says_why(self, name):
        assert said(name)["words"] in words(tried.progress(said(name)))

    def test_a_saving_stands_only_with_its_trial_and_its_change_is_there_to_copy(self):
        finding = said("findings-tried")["findings"][0]
        html = tried.verdict(finding["trial"], finding["key"])
        assert "saves" in words(html)
        assert "make in the cell by hand" in words(html)
        assert finding["trial"]["change"]["after"].splitlines()[0] in words(html)


@pytest.mark.parametrize("name", ["began-hostile", "ended-hostile", "waste-hostile"])
def test_nothing_hostile_gets_through(name):
    it = known("hello-hostile", "samples-hostile", name)
    shown = [live(it), board.sensors(it.hello), board.cells(list(it.runs.values()), it.session), board.waste(it.waste)]
    for html in shown:
        words(html)
        for evil in EVIL[:2]:
            assert evil not in html
        for evil in EVIL[2:]:
            assert evil not in html


@pytest.mark.parametrize("html", [tried.plan(said("plan-hostile"), waits=True), tried.progress(said("trial-failed"))])
def test_nothing_hostile_gets_through_a_trial(html):
    words(html)
    assert not [evil for evil in EVIL if evil in html]


def test_every_message_of_the_stream_is_taken_in_also_of_a_newer_kernel():
    it = Known(60.0)
    for path in sorted(GOLDEN.glob("*.json")):
        if not path.name.startswith("ask-"):
            it.take(json.loads(path.read_text()))
    assert it.take({"v": 1, "type": "tomorrow"}) == ""
