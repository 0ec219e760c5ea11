/** What every part of the panel is given. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type React from 'react';

import type { IEnergyModel, INotebookEnergy, IPowered } from '../tokens';

/** How the user looks at the panel; it outlives a change of notebook. */
export interface IView {
  span_s: number;
  tab: string;
  /** Net of the idle machine, where that is known. */
  net: boolean;
}

export interface IPartProps {
  model: IEnergyModel;
  energy: INotebookEnergy;
  trans: TranslationBundle;
  view: IView;
  setView(change: Partial<IView>): void;
  /** Run a command of greennb's (commandIds.ts). */
  execute(command: string): void;
}

/** What the parts are given that show power, whoever's it is. */
export type IPowerProps = Omit<IPartProps, 'energy' | 'execute'> & { energy: IPowered };

/** A part of the panel. */
export interface IPart {
  id: string;
  /** 'top' stands above the tabs, 'tab' is one. */
  place: 'top' | 'tab';
  /** Smaller comes first. */
  rank: number;
  title(trans: TranslationBundle): string;
  /** What stands beside a tab's title: how many there are. */
  count?(energy: INotebookEnergy): number | null;
  component: React.ComponentType<IPartProps>;
}
