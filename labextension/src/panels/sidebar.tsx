/** The panel: which notebook it is about, whether anybody sees it, and its parts one below the other. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import type { IDisposable } from '@lumino/disposable';
import type { Message } from '@lumino/messaging';
import type { ISignal } from '@lumino/signaling';
import React, { useCallback, useEffect, useRef, useState } from 'react';

import { type IChartTheme, readTheme } from '../chart/theme';
import { leafIcon } from '../icons';
import { withoutPower } from '../linkStates';
import type { IEnergyModel, INotebookEnergy } from '../tokens';
import { Boundary } from './boundary';
import { Header } from './header';
import { Seen, useSignal } from './hooks';
import { Host } from './host';
import { Theme } from './look';
import { NewFindings } from './newFindings';
import type { IPartProps, IView } from './part';
import type { PartRegistry } from './registry';
import { Tabs } from './tabs';

export interface ISidebarOptions {
  model: IEnergyModel;
  parts: PartRegistry;
  trans: TranslationBundle;
  /** The theme has changed; null where there are no themes. */
  themeChanged: ISignal<unknown, unknown> | null;
  /** Run a command of greennb's. */
  execute(command: string): void;
}

/**
 * The panel in the sidebar. It asks for samples and draws only while it is on screen; before it is seen for the first
 * time there is nothing in it.
 */
export class Sidebar extends ReactWidget {
  constructor(private readonly _options: ISidebarOptions) {
    super();
    this.addClass('gnb-Panel');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', _options.trans.__('Energy of this notebook'));
  }

  override dispose(): void {
    this._unwatch();
    super.dispose();
  }

  protected override render(): JSX.Element {
    return this._everSeen ? <Root {...this._options} seen={this._watch !== null} /> : <></>;
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    if (this.isVisible) {
      this._show();
    }
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._show();
  }

  protected override onBeforeHide(message: Message): void {
    this._hide();
    super.onBeforeHide(message);
  }

  protected override onBeforeDetach(message: Message): void {
    this._unwatch(); // and no update: React's root goes with the node
    super.onBeforeDetach(message);
  }

  private _show(): void {
    if (!this._watch) {
      this._everSeen = true;
      this._watch = this._options.model.watch();
      this.update();
    }
  }

  private _hide(): void {
    this._unwatch();
    this.update();
  }

  private _unwatch(): void {
    this._watch?.dispose();
    this._watch = null;
  }

  private _watch: IDisposable | null = null;
  private _everSeen = false;
}

function Root(props: ISidebarOptions & { seen: boolean }): JSX.Element {
  const { model, trans, themeChanged, seen } = props;
  const [view, setWholeView] = useState<IView>({ span_s: 300, tab: 'cells', net: false });
  const setView = useCallback(
    (change: Partial<IView>) => setWholeView(before => ({ ...before, ...change })),
    []
  );
  const body = useRef<HTMLDivElement>(null);
  const theme = useTheme(body, themeChanged);
  return (
    <Seen.Provider value={seen}>
      <Theme.Provider value={theme}>
        <div ref={body} className="gnb-Panel-body">
          <UseSignal signal={model.currentChanged} initialArgs={model.current}>
            {(_, current) =>
              current ? (
                <OfNotebook key={keyOf(current)} {...{ ...props, energy: current, view, setView }} />
              ) : (
                <>
                  <NoNotebook trans={trans} />
                  <OfHost {...{ ...props, view, setView }} />
                </>
              )
            }
          </UseSignal>
        </div>
      </Theme.Provider>
    </Seen.Provider>
  );
}

function OfHost(props: ISidebarOptions & Omit<IPartProps, 'energy'>): JSX.Element {
  return (
    <Boundary name={props.trans.__('The server’s machine')} trans={props.trans}>
      <Host {...props} />
    </Boundary>
  );
}

function OfNotebook(props: ISidebarOptions & IPartProps): JSX.Element {
  const { energy, parts, trans } = props;
  useSignal(energy.stateChanged);
  useSignal(energy.factsChanged);
  return (
    <>
      <Boundary name={trans.__('The state of the kernel')} trans={trans}>
        <Header {...props} />
      </Boundary>
      {withoutPower(energy) ? <OfHost {...props} /> : null}
      {parts.at('top').map(part => (
        <Boundary key={part.id} name={part.title(trans)} trans={trans}>
          <part.component {...props} />
        </Boundary>
      ))}
      <Boundary name={trans.__('The list')} trans={trans}>
        <Tabs {...props} parts={parts.at('tab')} />
      </Boundary>
      <Boundary name={trans.__('The list')} trans={trans}>
        <NewFindings {...props} />
      </Boundary>
    </>
  );
}

function NoNotebook({ trans }: { trans: TranslationBundle }): JSX.Element {
  return (
    <div className="gnb-NoNotebook">
      <leafIcon.react tag="span" width="32px" height="32px" />
      <p role="status">{trans.__('Open a notebook, and what its cells cost stands here.')}</p>
    </div>
  );
}

/** The chart's colours at `body`, read again when the theme changes. */
function useTheme(
  body: React.RefObject<HTMLElement>,
  themeChanged: ISignal<unknown, unknown> | null
): IChartTheme | null {
  const [theme, setTheme] = useState<IChartTheme | null>(null);
  useEffect(() => {
    let frame = 0;
    const read = () => body.current && setTheme(readTheme(body.current));
    const later = () => {
      frame = requestAnimationFrame(read); // once the new style sheet holds
    };
    read();
    themeChanged?.connect(later);
    return () => {
      cancelAnimationFrame(frame);
      themeChanged?.disconnect(later);
    };
  }, [body, themeChanged]);
  return theme;
}

const keys = new WeakMap<INotebookEnergy, number>();
let lastKey = 0;

/** A key for each notebook: what is shown of one must not linger in another's. */
function keyOf(energy: INotebookEnergy): number {
  const key = keys.get(energy) ?? ++lastKey;
  keys.set(energy, key);
  return key;
}
