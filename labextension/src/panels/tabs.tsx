/** Tabs with the keys that tabs have: arrows, Home and End. */
import React, { useId, useRef } from 'react';

import { Boundary } from './boundary';
import { useSignal } from './hooks';
import type { IPart, IPartProps } from './part';

/** Nothing while the kernel has said nothing and no cell has been measured: the header says why. */
export function Tabs(props: IPartProps & { parts: readonly IPart[] }): JSX.Element | null {
  const { energy } = props;
  useSignal(energy.factsChanged);
  useSignal(energy.cellsChanged, 500);
  return energy.hello || energy.cells.length ? <TabsAndBody {...props} /> : null;
}

function TabsAndBody(props: IPartProps & { parts: readonly IPart[] }): JSX.Element {
  const { parts, view, setView, trans } = props;
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const open = parts.find(part => part.id === view.tab) ?? parts[0];
  const onKeyDown = (event: React.KeyboardEvent) => {
    const next = nextTab(event.key, parts.indexOf(open), parts.length);
    if (next !== null) {
      event.preventDefault();
      setView({ tab: parts[next].id });
      list.current?.querySelectorAll<HTMLElement>('[role=tab]')[next]?.focus();
    }
  };
  return (
    <section className="gnb-TabsAndBody">
      <div
        ref={list}
        className="gnb-Tabs"
        role="tablist"
        aria-label={trans.__('Cells, advice and sensors')}
        onKeyDown={onKeyDown}
      >
        {parts.map(part => (
          <button
            key={part.id}
            type="button"
            role="tab"
            id={`${id}-${part.id}`}
            aria-selected={part === open}
            aria-controls={part === open ? `${id}-body` : undefined}
            tabIndex={part === open ? 0 : -1}
            onClick={() => setView({ tab: part.id })}
          >
            {part.title(trans)} <Count part={part} {...props} />
          </button>
        ))}
      </div>
      <div id={`${id}-body`} className="gnb-TabBody" role="tabpanel" aria-labelledby={`${id}-${open.id}`}>
        <Boundary key={open.id} name={open.title(trans)} trans={trans}>
          <open.component {...props} />
        </Boundary>
      </div>
    </section>
  );
}

function Count(props: IPartProps & { part: IPart }): JSX.Element | null {
  const { energy, part } = props;
  useSignal(energy.cellsChanged, 500);
  useSignal(energy.adviceChanged, 500);
  const count = part.count?.(energy) ?? null;
  return count === null ? null : <span className="gnb-Tabs-count">{count}</span>;
}

/** Where a key leads from tab `at` of `count`; null where it leads nowhere. */
export function nextTab(key: string, at: number, count: number): number | null {
  switch (key) {
    case 'ArrowRight':
      return (at + 1) % count;
    case 'ArrowLeft':
      return (at + count - 1) % count;
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return null;
  }
}
