/** Cells with which a kernel says what the advisor, or a lapse of two minutes, would have it say. */

/** A finding with a trial, handed over as the advisor will hand over its own. */
export const FINDING = `
from greennb.jupyter.session import Session
from greennb.model.finding import Evidence, Finding, Rule, Severity, Suggestion, Trial, Verdict

def finding(name="evaluates with gradients on"):
    return Finding(
        rule=Rule(code="GNB204", name=name, framework="torch", severity=Severity.ACT, since="0.1", source="PyTorch's notes"),
        cell_id="cell-0",
        evidence=(Evidence(name="forward passes", value=312, unit=""), Evidence(name="at stake", value=2800, unit="J")),
        suggestion=Suggestion(text="Put the loop into torch.inference_mode().", code="with torch.inference_mode():\\n    ..."),
        trial=Trial(baseline=(), candidate=(), order="ABBA", ratio=0.62, interval=(0.59, 0.66),
                    quality="Loss within the seed's own spread.", verdict=Verdict.SAVES, break_even=110.0),
    )

Session.start(get_ipython()).bridge.findings([finding()])
`.trim();

/** A thread that works on after its cell. It is noticed after a second, and at a tenth of a CPU: tests share two cores. */
export const WASTE = `
import threading, time
from greennb.jupyter import waste
from greennb.jupyter.session import Session

def work_on():
    while True:
        sum(range(10**5))
        time.sleep(0.002)

threading.Thread(target=work_on, daemon=True).start()
waste.LEAST_CPUS = 0.1
Session.start(get_ipython()).bridge.feed.waste = waste.Waste(lambda: {}, after_s=1, again_s=1)
`.trim();
