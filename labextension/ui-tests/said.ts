/** Cells with which a kernel says what the advisor, or a lapse of two minutes, would have it say. */

/**
 * Findings as the advisor hands over its own, here without an advisor: one with a trial and another, which is in three
 * cells. `again()` sends them as after another run.
 */
export const FINDING = `
from greennb.jupyter.session import Session
from greennb.model.finding import Evidence, Finding, Rule, Severity, Suggestion, Trial, Verdict
from greennb.model.reading import Method

def rule(code, name, severity, **more):
    return Rule(code=code, name=name, framework="torch", severity=severity, since="0.2", **more)

tried = Finding(
    rule=rule("GNB205", "evaluates with gradients on", Severity.ACT, source="PyTorch's notes, https://docs.pytorch.org/docs/stable/notes/autograd.html",
              wrong_when=("gradients with respect to the input are wanted",)),
    subject="model", cell_id="cell-0", execution_count=1, at_stake_s=12.0, at_stake_j=2800.0, method=Method.COUNTER,
    evidence=(Evidence(name="forward passes", value=312, unit="1"), Evidence(name="in them", value=9.5, unit="s")),
    suggestion=Suggestion(text="Put the loop into torch.inference_mode().", code="with torch.inference_mode():\\n    ..."),
    trial=Trial(baseline=(), candidate=(), order="ABBA", ratio=0.62, interval=(0.59, 0.66),
                quality="Loss within the seed's own spread.", verdict=Verdict.SAVES, break_even=110.0),
)
other = Finding(
    rule=rule("GNB201", "workers load no batches", Severity.NOTE, source="measured", wrong_when=("the data set is small", "memory is scarce")),
    subject="loader", cell_id="cell-1", execution_count=2, cells=3, at_stake_s=3.0, at_stake_j=34.0, method=Method.ESTIMATED,
    evidence=(Evidence(name="waiting for batches", value=31, unit="%"),),
    suggestion=Suggestion(text="Load batches in workers.", code="loader = DataLoader(data, num_workers=4)"),
)

def again(*more):
    Session.start(get_ipython()).bridge.findings([tried, *more, other])

again()
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

/**
 * A notebook without a word of greennb, some seconds of which could be done for less: a linear SVC, doubles in torch. One
 * thread, since tests share two cores: threads that wait for one another on a busy machine take ten times as long.
 */
export const PLAIN = [
  `import numpy as np
from sklearn.svm import SVC

rng = np.random.default_rng(0)
X = rng.normal(size=(3000, 20))
y = (X @ rng.normal(size=20) + 5 * rng.normal(size=3000) > 0).astype(int)`,
  `clf = SVC(kernel="linear", C=10)
clf.fit(X, y)`,
  `import torch

torch.manual_seed(0)
torch.set_num_threads(1)
net = torch.nn.Sequential(
    torch.nn.Linear(20, 512), torch.nn.ReLU(), torch.nn.Linear(512, 512), torch.nn.ReLU(), torch.nn.Linear(512, 1)
).double()
optimizer = torch.optim.Adam(net.parameters())
inputs, targets = torch.from_numpy(X), torch.from_numpy(y[:, None].astype(float))`,
  `for epoch in range(20):
    for batch in torch.randperm(len(inputs)).split(256):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(net(inputs[batch]), targets[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()`
];
