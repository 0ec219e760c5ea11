/** Whose joules these are, how the link to the kernel stands, and what to do about it. */
import { closeIcon } from '@jupyterlab/ui-components';
import React, { useState } from 'react';

import type { LinkKind } from '../tokens';
import { Copyable, Foreign, IconButton, TextButton } from './controls';
import { useSignal } from './hooks';
import type { IPartProps } from './part';

/** How a state looks: fine, on its way, at rest, or in need of somebody. */
const LOOKS: Readonly<Record<LinkKind, 'good' | 'busy' | 'rest' | 'warn'>> = {
  live: 'good',
  busy: 'busy',
  connecting: 'busy',
  restarting: 'busy',
  'no-kernel': 'rest',
  'not-python': 'rest',
  'not-loaded': 'rest',
  'not-installed': 'warn',
  dead: 'warn',
  disconnected: 'warn',
  'too-old': 'warn',
  'too-new': 'warn',
  failed: 'warn'
};

export function Header({ energy, trans }: IPartProps): JSX.Element {
  useSignal(energy.stateChanged);
  useSignal(energy.factsChanged);
  useSignal(energy.panel.title.changed);
  const { state, hello } = energy;
  const kernel = energy.panel.sessionContext.kernelDisplayName.replace(/ \(ipykernel\)$/, '');
  return (
    <div className="gnb-Header">
      <div className="gnb-Header-names">
        <span className={`gnb-Dot gnb-mod-${LOOKS[state.kind]}`} aria-hidden="true" />
        <Foreign className="gnb-Header-name" text={energy.panel.title.label} />
        {kernel ? <Foreign className="gnb-Header-kernel" text={kernel} /> : null}
        {hello ? (
          <span
            className="gnb-Header-host"
            title={trans.__('The kernel runs on this machine: %1', hello.host)}
          >
            <Foreign text={hello.host} />
          </span>
        ) : null}
      </div>
      <State key={state.kind} {...{ energy, trans }} />
      <Did key={energy.did} text={energy.did} dismiss={trans.__('Dismiss')} />
    </div>
  );
}

function State({ energy, trans }: Pick<IPartProps, 'energy' | 'trans'>): JSX.Element {
  const [failure, setFailure] = useState('');
  const { kind, sentence, command, step, stepLabel } = energy.state;
  const act = () => {
    setFailure('');
    energy.act(step).catch((error: unknown) => setFailure(String(error)));
  };
  return (
    <>
      <p className={kind === 'live' ? 'gnb-mod-unseen' : 'gnb-Header-state'} role="status">
        {sentence}
      </p>
      {command ? <Copyable text={command} trans={trans} /> : null}
      {step ? (
        <TextButton primary onClick={act}>
          {stepLabel}
        </TextButton>
      ) : null}
      {failure ? (
        <p className="gnb-Notice gnb-mod-warn" role="alert">
          <Foreign text={trans.__('That did not work: %1', failure)} />
        </p>
      ) : null}
    </>
  );
}

/** What greennb did by itself, until it has been read. */
function Did(props: { text: string; dismiss: string }): JSX.Element | null {
  const [open, setOpen] = useState(true);
  return props.text && open ? (
    <div className="gnb-Notice gnb-Did">
      <p>{props.text}</p>
      <IconButton icon={closeIcon} label={props.dismiss} onClick={() => setOpen(false)} />
    </div>
  ) : null;
}
