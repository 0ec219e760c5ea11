/**
 * What the panel costs a page, measured through the DevTools protocol; one JSON line on standard output.
 * Started by run.py:   node page.mjs '{"bare": URL, "panel": URL, "chromium": PATH, "quick": bool}'
 */
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
const { chromium } = createRequire(path.join(root, 'labextension/package.json'))('@playwright/test');

const given = JSON.parse(process.argv[2]);
const SETTLE_S = given.quick ? 3 : 8;
const SPAN_S = given.quick ? 5 : 15;
const ROUNDS = given.quick ? 1 : 3;
const OPENINGS = given.quick ? 3 : 16;

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--enable-precise-memory-info',
  '--js-flags=--expose-gc'
];

const seconds = s => new Promise(resolve => setTimeout(resolve, s * 1000));
const median = values => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

const browsers = [];

/** A page in a browser of its own, so that nothing is shared but the machine. */
async function open(address) {
  const browser = await chromium.launch({ executablePath: given.chromium, args: FLAGS });
  browsers.push(browser);
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
  page.setDefaultTimeout(90_000);
  await page.goto(`${address}/lab?reset`);
  await page.waitForFunction(() => window.jupyterapp !== undefined);
  await page.evaluate(() => window.jupyterapp.restored);
  return page;
}

/** Opens a notebook and waits until its kernel is idle; the notebook stays in front. */
async function openNotebook(page, name) {
  await page.evaluate(async name => {
    const panel = await window.jupyterapp.commands.execute('docmanager:open', {
      path: name,
      factory: 'Notebook'
    });
    await panel.context.ready;
    await panel.sessionContext.ready;
    const kernel = panel.sessionContext.session.kernel;
    await kernel.info;
  }, name);
  await page.waitForFunction(
    () => window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'
  );
}

async function metrics(client) {
  const { metrics } = await client.send('Performance.getMetrics');
  return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
}

/** CPU seconds of the page's main thread (script, style, layout, paint records) in a second, as a share of a core. */
async function share(client, span_s) {
  const before = await metrics(client);
  await seconds(span_s);
  const after = await metrics(client);
  const over_s = after.Timestamp - before.Timestamp;
  return {
    task: (after.TaskDuration - before.TaskDuration) / over_s,
    script: (after.ScriptDuration - before.ScriptDuration) / over_s
  };
}

async function devtools(page) {
  const client = await page.context().newCDPSession(page);
  await client.send('Performance.enable', { timeDomain: 'threadTicks' });
  return client;
}

async function showPanel(page) {
  await page.waitForFunction(() => window.jupyterapp.commands.hasCommand('greennb:show-panel'));
  await page.evaluate(() => window.jupyterapp.commands.execute('greennb:show-panel'));
}

async function spanOf(page, label) {
  await page.locator('#greennb-panel').getByRole('button', { name: label, exact: true }).click();
}

/** Counts messages of our comms that the page is sent. */
async function countMessages(page, span_s) {
  const client = await page.context().newCDPSession(page);
  await client.send('Network.enable');
  let count = 0;
  let bytes = 0;
  client.on('Network.webSocketFrameReceived', ({ response }) => {
    const text =
      response.opcode === 2
        ? Buffer.from(response.payloadData, 'base64').toString('latin1')
        : response.payloadData;
    if (text.includes('comm_msg')) {
      count += 1;
      bytes += text.length;
    }
  });
  await seconds(span_s);
  await client.detach();
  return { count, bytes };
}

async function heap(client) {
  await client.send('HeapProfiler.enable');
  await client.send('HeapProfiler.collectGarbage');
  await client.send('HeapProfiler.collectGarbage');
  return (await metrics(client)).JSHeapUsedSize;
}

const run = (page, code) =>
  page.evaluate(async code => {
    const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    const reply = await kernel.requestExecute({ code, store_history: false }).done;
    if (reply.content.status !== 'ok') {
      throw new Error(`${reply.content.ename}: ${reply.content.evalue}`);
    }
  }, code);

async function live(answer) {
  const bare = await open(given.bare);
  await openNotebook(bare, 'small.ipynb');
  const page = await open(given.panel);
  await openNotebook(page, 'small.ipynb');
  await run(page, given.hour); // the kernel knows an hour of history, which the page asks for when it comes again
  await page.goto(`${given.panel}/lab?reset`);
  await page.waitForFunction(() => window.jupyterapp !== undefined);
  await page.evaluate(() => window.jupyterapp.restored);
  await page.evaluate(() => {
    window.longTasks = [];
    new PerformanceObserver(list =>
      window.longTasks.push(...list.getEntries().map(each => each.duration))
    ).observe({
      type: 'longtask'
    });
  });
  await openNotebook(page, 'small.ipynb');
  await showPanel(page);
  await page.waitForFunction(() =>
    /\d\s*k?W/.test(document.querySelector('#greennb-panel')?.textContent ?? '')
  );
  await seconds(SETTLE_S);
  await page.evaluate(() => window.longTasks.splice(0)); // what opening Lab itself took is not ours
  const [a, b] = [await devtools(bare), await devtools(page)];
  answer.live = {};
  for (const label of ['1 min', '5 min', '1 h']) {
    await spanOf(page, label);
    await seconds(2);
    const pairs = [];
    for (let round = 0; round < ROUNDS; round++) {
      pairs.push([await share(a, SPAN_S), await share(b, SPAN_S)]);
    }
    answer.live[label] = {
      bare: median(pairs.map(([bare]) => bare.task)),
      panel: median(pairs.map(([, panel]) => panel.task)),
      more: median(pairs.map(([bare, panel]) => panel.task - bare.task)),
      script: median(pairs.map(([bare, panel]) => panel.script - bare.script))
    };
  }
  answer.messages_shown = await countMessages(page, SPAN_S);
  answer.long_tasks = await page.evaluate(() => window.longTasks.splice(0));

  const before = await heap(b);
  await run(page, given.feed); // another hour of samples, as quickly as they go
  await seconds(3);
  answer.heap_grown = (await heap(b)) - before;
  answer.heap = before;

  await page.evaluate(() => window.jupyterapp.shell.collapseRight());
  await seconds(2);
  answer.messages_hidden = await countMessages(page, SPAN_S);
  const pairs = [];
  for (let round = 0; round < ROUNDS; round++) {
    pairs.push([await share(a, SPAN_S), await share(b, SPAN_S)]);
  }
  answer.hidden = median(pairs.map(([bare, panel]) => panel.task - bare.task));
}

/** Seconds from asking for a notebook until its cells stand still on the screen, and CPU seconds of the main thread. */
async function opening({ page, client }) {
  const before = await metrics(client);
  const wall_s = await page.evaluate(async () => {
    const began = performance.now();
    const panel = await window.jupyterapp.commands.execute('docmanager:open', {
      path: 'large.ipynb',
      factory: 'Notebook'
    });
    await panel.context.ready;
    await panel.revealed;
    // Idle: nothing for a frame and what the browser calls idle.
    await new Promise(resolve => requestAnimationFrame(() => requestIdleCallback(resolve)));
    return (performance.now() - began) / 1000;
  });
  await seconds(2); // what was put off counts as CPU time too
  const cpu_s = (await metrics(client)).TaskDuration - before.TaskDuration;
  await page.evaluate(() => {
    const panel = window.jupyterapp.shell.currentWidget;
    panel.context.model.dirty = false;
    panel.close();
  });
  await seconds(1);
  return { wall_s, cpu_s };
}

async function large(answer) {
  const fronts = [];
  for (const address of [given.bare, given.panel]) {
    const page = await open(address);
    fronts.push({ page, client: await devtools(page) });
  }
  const [bare, panel] = fronts;
  await showPanel(panel.page);
  const taken = { bare: [], panel: [] };
  for (let round = 0; round < OPENINGS; round++) {
    const turns = [
      ['bare', bare],
      ['panel', panel]
    ];
    for (const [name, front] of round % 2 ? turns : turns.reverse()) {
      taken[name].push(await opening(front));
    }
  }
  // The first fills caches and starts the kernel.
  const of = (name, what) => median(taken[name].slice(1).map(each => each[what]));
  answer.opening = {
    bare_s: of('bare', 'wall_s'),
    panel_s: of('panel', 'wall_s'),
    bare_cpu_s: of('bare', 'cpu_s'),
    panel_cpu_s: of('panel', 'cpu_s')
  };
}

const answer = {};
try {
  if (given.part !== 'opening') {
    await live(answer);
  }
  for (const browser of browsers.splice(0)) {
    await browser.close();
  }
  if (given.part !== 'live') {
    await large(answer);
  }
} finally {
  for (const browser of browsers) {
    await browser.close();
  }
}
console.log(JSON.stringify(answer));
