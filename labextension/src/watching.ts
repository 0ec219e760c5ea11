/** Asks a kernel for samples as long as somebody looks, and for what happened while nobody did. */
import type { JSONObject } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';

import { Refused } from './commClient';
import type { KernelLink } from './link';
import type { PowerHistory } from './power';
import type { IPanelSettings } from './tokens';
import type { Answer, IHello, IHistory } from './wire';

/** A kernel forgets a pace that nobody renews. */
const RENEW_MS = 60_000;
/** No sample for so long after one was asked for, from an idle kernel: its stream was lost on the way. */
const SILENT_MS = 10_000;
/** How often a kernel's stream is opened anew for that; one without sensors has nothing to say. */
const MOST_ANEW = 2;
/** A pause longer than this is a hole in the chart, which the kernel may be able to fill. */
const HOLE_S = 5;

export interface IWatchingOptions {
  link: KernelLink;
  power: PowerHistory;
  settings(): IPanelSettings;
  load(history: IHistory): void;
  /** Findings and rules that the notebook does not want to hear of. */
  dismissed(): string[];
}

export class Watching implements IDisposable {
  constructor(private readonly _options: IWatchingOptions) {}

  /** Why the kernel does not take the user's settings; "" where it does. */
  get refusal(): string {
    return this._refusal;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Samples a second that are wanted from now on. */
  set pace_hz(pace_hz: number) {
    if (pace_hz !== this._pace_hz) {
      const woken = this._pace_hz === 0;
      this._pace_hz = pace_hz;
      void this._watch(woken);
    }
  }

  /** The kernel can be asked now. */
  begin(hello: IHello): void {
    this._sent_hz = 0;
    if (hello.session !== this._hello?.session) {
      this._anew = 0;
    }
    this._hello = hello;
    this._set = '';
    void this._past(60 * this._options.settings().history_min);
    void this._watch(false);
    void this._send();
    this._toldDismissed = '[]';
    this.dismissedChanged();
  }

  /** Have the kernel know too what is dismissed: it speaks of findings in cells' outputs. */
  dismissedChanged(): void {
    const dismissed = this._options.dismissed();
    const told = JSON.stringify(dismissed);
    if (told !== this._toldDismissed && this._options.link.hello !== null) {
      this._toldDismissed = told;
      void this._options.link.ask('set', { dismissed }).catch(() => undefined); // an older kernel need not know
    }
  }

  settingsChanged(): void {
    void this._send();
  }

  dispose(): void {
    this._isDisposed = true;
    window.clearTimeout(this._timer);
    window.clearTimeout(this._silence);
  }

  private async _watch(woken: boolean, renewed = false): Promise<void> {
    window.clearTimeout(this._timer);
    const { link, power } = this._options;
    const pace_hz = this._pace_hz;
    if (link.hello === null || this._isDisposed || (pace_hz === 0 && this._sent_hz === 0)) {
      return;
    }
    this._sent_hz = pace_hz;
    if (pace_hz > 0) {
      this._timer = window.setTimeout(() => void this._watch(false, true), RENEW_MS);
    }
    const hole_s = power.now_s() - power.last_s;
    if (woken && hole_s > HOLE_S) {
      void this._past(hole_s + 1);
    }
    await this._ask('watch', { stream: link.stream, hz: pace_hz });
    if (!renewed) {
      this._listen();
    }
  }

  /** See to it that samples come. */
  private _listen(): void {
    window.clearTimeout(this._silence);
    const { link, power } = this._options;
    const { version } = power;
    if (this._pace_hz === 0 || this._isDisposed) {
      return;
    }
    this._silence = window.setTimeout(() => {
      if (power.version !== version) {
        this._anew = 0;
      } else if (link.state.kind === 'live' && this._anew < MOST_ANEW) {
        this._anew++;
        link.reconnect();
      }
    }, SILENT_MS);
  }

  private async _past(span_s: number): Promise<void> {
    const answer = await this._ask('history', { span_s });
    if (answer?.type === 'history') {
      this._options.load(answer);
    }
  }

  /** Have the kernel use the user's zone and PUE, where they are set and not in force already. */
  private async _send(): Promise<void> {
    const { zone, pue } = this._options.settings();
    const wanted: JSONObject = {};
    if (zone && zone !== this._hello?.settings.zone) {
      wanted.zone = zone;
    }
    if (pue && pue !== this._hello?.settings.pue) {
      wanted.pue = pue;
    }
    const set = JSON.stringify(wanted);
    if (set === this._set || this._options.link.hello === null || (set === '{}' && this._set === '')) {
      return;
    }
    this._set = set;
    this._refusal = '';
    if (set !== '{}') {
      await this._ask('set', wanted);
    }
  }

  private async _ask(question: string, fields: JSONObject): Promise<Answer | null> {
    try {
      return await this._options.link.ask(question, fields);
    } catch (error) {
      if (error instanceof Refused && question === 'set') {
        this._refusal = error.message;
      }
      return null; // the link's state says why there is no answer
    }
  }

  private _pace_hz = 0;
  private _sent_hz = 0;
  private _timer = 0;
  private _silence = 0;
  private _anew = 0;
  private _set = '';
  private _toldDismissed = '[]';
  private _hello: IHello | null = null;
  private _refusal = '';
  private _isDisposed = false;
}
