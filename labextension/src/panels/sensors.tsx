/** Where the joules come from, where they cannot come from, and why. */
import React from 'react';

import { plain } from '../format';
import type { IDomain, IProbe } from '../wire';
import { METHODS } from '../words';
import { Foreign } from './controls';
import { useSignal } from './hooks';
import { rowName } from './look';
import type { IPartProps } from './part';
import { faultsNow } from './rows';

const FAULTS_MS = 2000;

export function Sensors(props: IPartProps): JSX.Element {
  const { energy, trans } = props;
  useSignal(energy.factsChanged);
  useSignal(energy.sampled, FAULTS_MS);
  const { hello } = energy;
  if (!hello) {
    return <p className="gnb-Empty">{trans.__('The kernel has not said yet what it can measure.')}</p>;
  }
  const faults = faultsNow(hello, energy.power.latest);
  return (
    <>
      {faults.length ? (
        <>
          <h3>{trans.__('Not readable')}</h3>
          <ul className="gnb-Sources">
            {faults.map(fault => (
              <li key={`${fault.domain} ${fault.label} ${fault.reason}`}>
                <Mark look="warn" />
                <div>
                  <b>
                    <Foreign text={fault.label || trans.__('A sensor')} width={80} />
                  </b>
                  <Reason reason={fault.reason} hint={fault.hint} {...props} />
                </div>
              </li>
            ))}
          </ul>
        </>
      ) : null}
      <h3>{trans.__('Measured')}</h3>
      {hello.domains.length ? (
        <ul className="gnb-Sources">
          {hello.domains.map(domain => (
            <Domain key={domain.id} domain={domain} {...props} />
          ))}
        </ul>
      ) : (
        <p className="gnb-Empty">{trans.__('Nothing on this machine gives joules.')}</p>
      )}
      <h3>{trans.__('Sources')}</h3>
      <ul className="gnb-Sources">
        {hello.sources.map(source => (
          <Source key={source.name} source={source} {...props} />
        ))}
      </ul>
      <p className="gnb-Quiet gnb-Versions">
        <Foreign
          text={trans.__(
            'greennb %1 · Python %2 · %3, process %4',
            hello.greennb,
            hello.python,
            hello.host,
            hello.pid
          )}
        />
      </p>
    </>
  );
}

function Domain({ domain, trans }: IPartProps & { domain: IDomain }): JSX.Element {
  return (
    <li>
      <Mark look="good" />
      <div>
        <b>
          <Foreign text={rowName(domain)} width={80} />
        </b>{' '}
        <span className="gnb-Quiet">
          {METHODS[domain.method]}
          {domain.root ? '' : ` · ${trans.__('held by another, counted once')}`}
        </span>
        {domain.note ? (
          <p>
            <Foreign text={domain.note} />
          </p>
        ) : null}
      </div>
    </li>
  );
}

function Source(props: IPartProps & { source: IProbe }): JSX.Element {
  const { source, trans } = props;
  return (
    <li>
      <Mark look={source.used ? 'good' : 'rest'} />
      <div>
        <b>
          <Foreign text={source.name} width={60} />
        </b>{' '}
        <span className="gnb-Quiet">{source.used ? trans.__('used') : trans.__('not used')}</span>
        <Reason reason={source.reason} hint={source.used ? '' : source.hint} {...props} />
      </div>
    </li>
  );
}

/** Why, and what mends it. */
function Reason({ reason, hint, trans }: IPartProps & { reason: string; hint: string }): JSX.Element {
  return (
    <>
      {reason ? (
        <p>
          <Foreign text={reason} width={500} />
        </p>
      ) : null}
      {hint ? (
        <p className="gnb-Hint" title={plain(hint, 1000)}>
          <span className="gnb-Quiet">{trans.__('To mend it:')}</span> <Foreign text={hint} width={600} />
        </p>
      ) : null}
    </>
  );
}

/** Beside words that say the same. */
function Mark({ look }: { look: 'good' | 'warn' | 'rest' }): JSX.Element {
  const [sign, colour] = { good: ['✓', 'gnb-Good'], warn: ['!', 'gnb-Warn'], rest: ['–', 'gnb-Quiet'] }[look];
  return (
    <span className={`gnb-Mark ${colour}`} aria-hidden="true">
      {sign}
    </span>
  );
}
