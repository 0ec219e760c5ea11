/** What idles away: a card each. */
import React from 'react';

import { joules, watts } from '../format';
import type { IWaste } from '../wire';
import { CodeOf, Foreign, TextButton } from './controls';
import type { IPartProps } from './part';
import { wholeTime } from './text';

export function WasteCard({ item, energy, trans }: IPartProps & { item: IWaste }): JSX.Element {
  const soFar =
    item.joules === null ? '' : trans.__('So far, as watched: %1.', joules(item.joules, item.method));
  const idle = wholeTime(item.seconds < 60 ? item.seconds : Math.floor(item.seconds / 60) * 60);
  const fold = `waste ${item.kind} ${item.domain} ${item.label}`;
  return (
    <article className="gnb-Card gnb-mod-warn">
      <h3>
        <Foreign text={item.label} width={60} />:{' '}
        {item.watts === null
          ? trans.__('nothing has run for %1', idle)
          : trans.__('%1 for %2, nothing runs', watts(item.watts, item.method), idle)}
      </h3>
      <p>
        <Foreign text={item.why} /> {soFar}
      </p>
      {item.code ? (
        <CodeOf code={item.code} fold={fold} {...{ energy, trans }}>
          <TextButton primary onClick={() => energy.insertCode(item.code)}>
            {trans.__('Insert release code')}
          </TextButton>
        </CodeOf>
      ) : null}
    </article>
  );
}
