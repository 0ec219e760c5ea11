/** What would make this notebook cheaper: what idles away, and what the advisor found, the most at stake first. */
import React, { useEffect, useRef } from 'react';

import { findingKey } from '../dismissals';
import type { ISetAside } from '../tokens';
import type { IFinding } from '../wire';
import { Copyable, Fold, Foreign } from './controls';
import { FindingCard } from './finding';
import { useFold } from './folds';
import { useSignal } from './hooks';
import type { IPartProps } from './part';
import { AppliedCards } from './tryIt';
import { WasteCard } from './waste';

const ADVICE_MS = 500;
const CELLS_MS = 1000;

export function Advice(props: IPartProps): JSX.Element {
  const { energy, model } = props;
  useSignal(energy.adviceChanged, ADVICE_MS);
  useSignal(energy.cellsChanged, CELLS_MS); // counts of cells, and whether any has run
  useSignal(energy.factsChanged);
  useSignal(model.settingsChanged);
  const { waste, findings, setAside } = energy;
  const list = useRef<HTMLDivElement>(null);
  const leave = useFocusOnNext(list);
  return (
    <div ref={list} className="gnb-Advice">
      {waste.map(item => (
        <WasteCard key={`${item.kind} ${item.domain} ${item.label}`} item={item} {...props} />
      ))}
      <AppliedCards {...props} />
      {named(findings).map(([name, finding], place) => (
        <FindingCard
          key={name}
          {...{ finding, name, ...props }}
          initially={place === 0 || finding.severity === 'act'}
          dismiss={always => {
            leave(place);
            energy.dismiss(finding, always);
          }}
        />
      ))}
      {findings.length === 0 ? <Nothing {...props} /> : null}
      {setAside.length ? <SetAside items={setAside} {...props} /> : null}
    </div>
  );
}

/** Findings with names that are each there once, whatever a kernel calls them. */
function named(findings: readonly IFinding[]): [string, IFinding][] {
  const times = new Map<string, number>();
  return findings.map(finding => {
    const key = findingKey(finding);
    const count = (times.get(key) ?? 0) + 1;
    times.set(key, count);
    return [count === 1 ? key : `${key} (${count})`, finding];
  });
}

/** Where a card that had the focus goes, the next takes it: who works with the keyboard goes on where they were. */
function useFocusOnNext(list: React.RefObject<HTMLElement>): (place: number) => void {
  const left = useRef<{ place: number; from: Element | null } | null>(null);
  useEffect(() => {
    if (left.current === null || left.current.from?.isConnected) {
      return; // nothing was dismissed, or it is still there
    }
    const { place } = left.current;
    left.current = null;
    if (document.activeElement === null || document.activeElement === document.body) {
      const heads = list.current?.querySelectorAll<HTMLElement>(
        '.gnb-Finding h3 button, .gnb-SetAside > button'
      );
      heads?.item(Math.min(place, heads.length - 1))?.focus();
    }
  });
  return place => {
    left.current = { place, from: document.activeElement };
  };
}

/** Why there is no finding. */
function Nothing({ energy, trans }: IPartProps): JSX.Element {
  if (energy.settings?.advice === false) {
    return (
      <div className="gnb-Empty">
        <p>
          {trans.__(
            'The advisor is off in this kernel. This turns it on for the cells that run from then on:'
          )}
        </p>
        <Copyable text="%energy_config advice=on" trans={trans} />
      </div>
    );
  }
  if (energy.setAside.some(({ finding }) => finding !== null)) {
    return <p className="gnb-Empty">{trans.__('Nothing else was found.')}</p>;
  }
  return <p className="gnb-Empty">{nothingWords({ energy, trans })}</p>;
}

function nothingWords({ energy, trans }: Pick<IPartProps, 'energy' | 'trans'>): string {
  if (energy.cells.length === 0) {
    return trans.__('No cell has been measured yet: run one, and what could make it cheaper stands here.');
  }
  if (energy.settings?.advice === undefined) {
    return trans.__('Nothing to say on these cells.'); // whether anybody looks on is not known
  }
  return trans.__(
    'Nothing found: no rule of greennb’s saw in these cells what it knows to waste energy. Cells below 1 J or 1 s are left out. It does not mean that nothing can be saved.'
  );
}

/** One quiet line on what is not shown; opened, each with a way back. */
function SetAside(props: IPartProps & { items: readonly ISetAside[] }): JSX.Element {
  const { items, energy, trans } = props;
  const [open, setOpen] = useFold(energy, 'set aside');
  return (
    <div className="gnb-SetAside">
      <Fold open={open} onToggle={setOpen}>
        {open ? trans.__('%1 dismissed · Hide', items.length) : trans.__('%1 dismissed · Show', items.length)}
      </Fold>
      {open ? (
        <ul>
          {items.map(item => (
            <li key={`${item.always} ${item.name}`}>
              <span>
                <Name item={item} />
                {item.always ? <> · {trans.__('never in this notebook')}</> : null}
              </span>
              <button type="button" className="gnb-Link" onClick={() => energy.restore(item)}>
                {item.always ? trans.__('Allow again') : trans.__('Bring back')}
              </button>
            </li>
          ))}
        </ul>
      ) : null}
      {open && !energy.remembers ? (
        <p>{trans.__('This notebook is read-only: what you dismiss comes back when it is opened again.')}</p>
      ) : null}
    </div>
  );
}

function Name({ item }: { item: ISetAside }): JSX.Element {
  const { name, finding, always } = item;
  if (finding === null) {
    return <Foreign text={name} width={60} />;
  }
  const about = always || !finding.subject ? '' : ` ${finding.subject}`;
  return <Foreign text={`${finding.code} ${finding.name}${about}`} width={140} />;
}
