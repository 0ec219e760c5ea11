/** The machine of the Jupyter server, where no kernel tells of one. */
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { IEnergyModel } from '../tokens';
import { ChartView } from './chartView';
import { Foreign } from './controls';
import { useSignal } from './hooks';
import { Live } from './live';
import type { IView } from './part';

export interface IHostProps {
  model: IEnergyModel;
  trans: TranslationBundle;
  view: IView;
  setView(change: Partial<IView>): void;
}

export function Host(props: IHostProps): JSX.Element | null {
  const { model, trans } = props;
  const { host } = model;
  useSignal(host.factsChanged);
  return host.hello ? (
    <section className="gnb-Host" aria-label={trans.__('The server’s machine')}>
      <p className="gnb-Quiet">
        {trans.__('All that the machine of the Jupyter server draws:')} <Foreign text={host.hello.host} />
      </p>
      <Live {...props} energy={host} />
      <ChartView {...props} energy={host} />
    </section>
  ) : null;
}
