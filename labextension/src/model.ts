/** greennb in this JupyterLab: every open notebook's energy, and whose samples are looked at. */
import type { ISessionContext } from '@jupyterlab/apputils';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import type { TranslationBundle } from '@jupyterlab/translation';
import { DisposableDelegate } from '@lumino/disposable';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import type { ISignal } from '@lumino/signaling';

import { HostPower } from './hostPower';
import { NotebookEnergy } from './notebookEnergy';
import { withoutPower } from './linkStates';
import { DEFAULTS, parseSettings } from './settings';
import type { IEnergyModel, INotebookEnergy, IPanelSettings } from './tokens';

export interface IEnergyModelOptions {
  tracker: INotebookTracker;
  dialogs: ISessionContext.IDialogs;
  trans: TranslationBundle;
  /** For tests: the server's machine, told of by something else than the server. */
  host?: HostPower;
}

export class EnergyModel implements IEnergyModel {
  constructor(private readonly _options: IEnergyModelOptions) {
    const { tracker } = _options;
    this.host = _options.host ?? new HostPower();
    tracker.forEach(panel => this._add(panel));
    tracker.widgetAdded.connect(this._onAdded, this);
    tracker.currentChanged.connect(this._onCurrent, this);
    document.addEventListener('visibilitychange', this._pace);
    this._onCurrent();
  }

  get current(): INotebookEnergy | null {
    return this._current;
  }

  get currentChanged(): ISignal<IEnergyModel, INotebookEnergy | null> {
    return this._currentChanged;
  }

  of(panel: NotebookPanel): INotebookEnergy | null {
    return this._energies.get(panel) ?? null;
  }

  get added(): ISignal<IEnergyModel, INotebookEnergy> {
    return this._added;
  }

  get settings(): IPanelSettings {
    return this._settings;
  }

  get settingsChanged(): ISignal<IEnergyModel, IPanelSettings> {
    return this._settingsChanged;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Follow the user's settings from now on; without, the defaults hold. */
  useSettings(registry: ISettingRegistry.ISettings): void {
    this._registry?.changed.disconnect(this._onSettings, this);
    this._registry = registry;
    registry.changed.connect(this._onSettings, this);
    this._onSettings();
  }

  async set<K extends keyof IPanelSettings>(name: K, value: IPanelSettings[K]): Promise<void> {
    if (this._registry === null) {
      this._settle(parseSettings({ ...this._settings, [name]: value }));
    } else if (value === null) {
      await this._registry.remove(name);
    } else {
      await this._registry.set(name, value);
    }
  }

  watch(): IDisposable {
    this._watchers++;
    this._pace();
    return new DisposableDelegate(() => {
      this._watchers--;
      this._pace();
    });
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    const { tracker } = this._options;
    tracker.widgetAdded.disconnect(this._onAdded, this);
    tracker.currentChanged.disconnect(this._onCurrent, this);
    document.removeEventListener('visibilitychange', this._pace);
    this._registry?.changed.disconnect(this._onSettings, this);
    [...this._energies.values()].forEach(energy => energy.dispose());
    this._energies.clear();
    this.host.dispose();
    Signal.clearData(this);
  }

  readonly host: HostPower;

  private _add(panel: NotebookPanel): NotebookEnergy {
    const { dialogs, trans } = this._options;
    const energy = new NotebookEnergy({ panel, dialogs, trans, settings: () => this._settings });
    this._energies.set(panel, energy);
    [energy.stateChanged, energy.factsChanged].forEach(it => it.connect(this._pace));
    panel.disposed.connect(this._onPanelDisposed, this);
    this._added.emit(energy);
    return energy;
  }

  private _onAdded(_: unknown, panel: NotebookPanel): void {
    this._add(panel);
    this._onCurrent(); // it may have been in front before it was added
  }

  private _onPanelDisposed(panel: NotebookPanel): void {
    this._energies.get(panel)?.dispose();
    this._energies.delete(panel);
    this._onCurrent();
  }

  private _onCurrent(): void {
    const panel = this._options.tracker.currentWidget;
    const current = (panel && this._energies.get(panel)) ?? null;
    if (current !== this._current) {
      this._current = current;
      this._pace();
      this._currentChanged.emit(current);
    }
  }

  private _onSettings(): void {
    this._settle(parseSettings(this._registry?.composite));
  }

  private _settle(settings: IPanelSettings): void {
    this._settings = settings;
    this._energies.forEach(energy => energy.settingsChanged());
    this._pace();
    this._settingsChanged.emit(settings);
  }

  /** Samples come for the notebook in front, while somebody looks at them. */
  private _pace = (): void => {
    const looked = this._watchers > 0 && document.visibilityState === 'visible';
    this._energies.forEach(energy => {
      energy.pace_hz = looked && energy === this._current ? this._settings.rate_hz : 0;
    });
    this.host.pace_hz = looked && withoutPower(this._current) ? this._settings.rate_hz : 0;
  };

  private _energies = new Map<NotebookPanel, NotebookEnergy>();
  private _current: NotebookEnergy | null = null;
  private _settings: IPanelSettings = { ...DEFAULTS };
  private _registry: ISettingRegistry.ISettings | null = null;
  private _watchers = 0;
  private _isDisposed = false;
  private _currentChanged = new Signal<IEnergyModel, INotebookEnergy | null>(this);
  private _added = new Signal<IEnergyModel, INotebookEnergy>(this);
  private _settingsChanged = new Signal<IEnergyModel, IPanelSettings>(this);
}
