/** A kernel and its session at the boundary: comms, executions and states, without a server. */
import type { ISessionContext } from '@jupyterlab/apputils';
import { Signal } from '@lumino/signaling';

import type { JSONObject } from '@lumino/coreutils';

export const HELLO = {
  v: 1,
  type: 'hello',
  greennb: '0.1.0',
  schema: 1,
  host: 'bench',
  pid: 1,
  python: '3.13.0',
  session: 's1',
  t_s: 100,
  domains: [
    {
      id: 'gpu:0',
      kind: 'gpu',
      label: 'GPU 0',
      host: 'bench',
      inside: null,
      method: 'counter',
      note: '',
      max_w: 700,
      root: true
    }
  ],
  sources: [],
  faults: [],
  settings: { measure: true, zone: '', pue: 1, intensity: null, price: 0, currency: '' }
};

export const NO_TOTAL = {
  runs: 0,
  total_j: null,
  low_j: null,
  high_j: null,
  net_j: null,
  co2e_g: null,
  duration_s: 0,
  method: null,
  partial: false
};

class FakeComm {
  constructor(
    readonly kernel: FakeKernel,
    readonly targetName: string,
    readonly commId: string
  ) {}

  onMsg: (message: any) => void = () => undefined;
  onClose: (message: any) => void = () => undefined;
  isDisposed = false;
  isOpen = false;

  open(): void {
    this.isOpen = true;
    this.kernel.opened(this);
  }

  send(data: JSONObject): void {
    if (this.isDisposed) {
      throw new Error('Cannot send');
    }
    this.kernel.heard(this, data);
  }

  close(): void {
    this.kernel.closedByPage.push(this.targetName);
    this.dispose();
  }

  dispose(): void {
    this.isDisposed = true;
  }

  /** What the kernel says on this comm. */
  say(data: unknown): void {
    this.onMsg({ content: { data: JSON.parse(JSON.stringify(data)) } });
  }

  closeFromKernel(): void {
    this.onClose({});
    this.dispose();
  }
}

export class FakeKernel {
  constructor(readonly name = 'python3') {}

  /** Whether greennb is loaded, and what loading it says. */
  loaded = false;
  attachSays: any = { status: 'ok', data: { 'text/plain': `'{"v": 1, "loaded": false, "problem": ""}'` } };
  language = 'python';
  status = 'idle';
  connectionStatus = 'connected';
  isDisposed = false;
  supportsSubshells = false;
  /** Does not answer while it is busy, as on ipykernel 6. */
  deaf = false;
  /** The answer to a question; undefined for none. */
  answers: Record<string, (asked: any) => any> = {
    hello: () => HELLO,
    watch: ({ hz }) => ({ v: 1, type: 'watching', hz }),
    history: () => ({ v: 1, type: 'history', cells: [], session: NO_TOTAL, t_s: [], w: [[]] }),
    set: () => ({ v: 1, type: 'settings', ...HELLO.settings })
  };

  /** What becomes of code that is executed; undefined for what is done at once, and loads greennb. */
  executes: (content: any) => Promise<object> | undefined = () => undefined;
  interrupts = 0;

  asked: any[] = [];
  executed: any[] = [];
  comms: FakeComm[] = [];
  closedByPage: string[] = [];
  reconnects = 0;
  statusChanged = new Signal<this, string>(this);
  info = Promise.resolve({ language_info: { name: this.language } });

  get spec(): Promise<{ language: string }> {
    return Promise.resolve({ language: this.language });
  }

  createComm(target: string): FakeComm {
    const comm = new FakeComm(this, target, `comm-${this.comms.length}`);
    this.comms.push(comm);
    return comm;
  }

  get stream(): FakeComm {
    return this.comms.filter(it => it.targetName === 'greennb.stream').pop()!;
  }

  get open(): FakeComm[] {
    return this.comms.filter(it => it.isOpen && !it.isDisposed);
  }

  requestExecute(content: any): { done: Promise<any> } {
    this.executed.push(content);
    const own = this.executes(content);
    if (own !== undefined) {
      return { done: own.then(reply => ({ content: reply })) };
    }
    return {
      done: this._free().then(() => {
        this.loaded = this.loaded || this.attachSays.status === 'ok';
        const python = { status: 'ok', data: { 'text/plain': "'/opt/my env/python'" } };
        return { content: { status: 'ok', user_expressions: { greennb: this.attachSays, python } } };
      })
    };
  }

  async reconnect(): Promise<void> {
    this.reconnects++;
  }

  async interrupt(): Promise<void> {
    this.interrupts++;
  }

  opened(comm: FakeComm): void {
    void this._free().then(() => {
      if (!this.loaded && !comm.isDisposed) {
        comm.closeFromKernel();
      }
    });
  }

  heard(comm: FakeComm, data: any): void {
    this.asked.push(data);
    void this._free().then(() => {
      const said = this.loaded ? this.answers[data.ask]?.(data) : undefined;
      if (said !== undefined && !comm.isDisposed) {
        comm.say({ ...said, re: data.id });
      }
    });
  }

  set(status: string): void {
    this.status = status;
    if (status === 'restarting' || status === 'autorestarting') {
      this.comms.forEach(comm => comm.dispose());
      this.loaded = false;
    }
    this.statusChanged.emit(status);
  }

  /** Resolves once this kernel hears. */
  private async _free(): Promise<void> {
    await Promise.resolve();
    while (this.deaf && this.status === 'busy') {
      await new Promise<void>(resolve => {
        const changed = (): void => {
          this.statusChanged.disconnect(changed);
          resolve();
        };
        this.statusChanged.connect(changed);
      });
    }
  }
}

export class FakeSession {
  constructor(kernel: FakeKernel | null = new FakeKernel()) {
    this.session = kernel && { kernel };
    kernel?.statusChanged.connect(this._forward, this);
  }

  session: { kernel: FakeKernel } | null;
  ready: Promise<void> = Promise.resolve();
  prevKernelName = 'python3';
  changedTo: any[] = [];
  kernelChanged = new Signal<this, any>(this);
  statusChanged = new Signal<this, string>(this);
  connectionStatusChanged = new Signal<this, string>(this);
  iopubMessage = new Signal<this, any>(this);

  get context(): ISessionContext {
    return this as unknown as ISessionContext;
  }

  use(kernel: FakeKernel | null): void {
    const oldValue = this.session?.kernel ?? null;
    this.session = kernel && { kernel };
    kernel?.statusChanged.connect(this._forward, this);
    this.kernelChanged.emit({ name: 'kernel', oldValue, newValue: kernel });
  }

  connection(status: string): void {
    this.session!.kernel.connectionStatus = status;
    this.connectionStatusChanged.emit(status);
  }

  ran(code: string): void {
    this.iopubMessage.emit({ header: { msg_type: 'execute_input' }, content: { code } });
  }

  async shutdown(): Promise<void> {
    this.use(null);
  }

  async changeKernel(model: any): Promise<null> {
    this.changedTo.push(model);
    return null;
  }

  private _forward(kernel: FakeKernel, status: string): void {
    if (kernel === this.session?.kernel) {
      this.statusChanged.emit(status);
    }
  }
}
