/** The notebook's budget: a bar, the same in words, and a field to set it. */
import { editIcon } from '@jupyterlab/ui-components';
import React, { useState } from 'react';

import { percent } from '../format';
import { parseJoules } from '../joules';
import { roundAmount } from './text';
import { IconButton, TextButton } from './controls';
import type { IPartProps } from './part';

export function Budget(props: IPartProps): JSX.Element {
  const { energy, model, trans } = props;
  const [editing, setEditing] = useState(false);
  const { budget_j } = energy;
  if (editing) {
    return <Edit done={() => setEditing(false)} {...props} />;
  }
  if (budget_j === null) {
    return (
      <p className="gnb-Budget-words">
        <button type="button" className="gnb-Link" onClick={() => setEditing(true)}>
          {trans.__('Set a budget')}
        </button>
      </p>
    );
  }
  const budget = roundAmount(budget_j, model.settings.units);
  const spent = energy.notebookTotal.total_j;
  const share = spent === null ? 0 : spent / budget_j;
  const words =
    share > 1
      ? trans.__('Over budget: %1 of %2', percent(share), budget)
      : trans.__('%1 of its %2 budget', percent(share), budget);
  return (
    <div className="gnb-Budget" data-over={share > 1 || undefined}>
      <div
        className="gnb-Bar"
        role="meter"
        aria-label={trans.__('Budget')}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.min(100, Math.round(share * 100))}
        aria-valuetext={words}
      >
        <span style={{ width: `${Math.min(1, share) * 100}%` }} />
      </div>
      <p className="gnb-Budget-words">
        <span>{words}</span>
        <IconButton icon={editIcon} label={trans.__('Change the budget')} onClick={() => setEditing(true)} />
      </p>
    </div>
  );
}

function Edit({ energy, model, trans, done }: IPartProps & { done(): void }): JSX.Element {
  const before = energy.budget_j;
  const [text, setText] = useState(before === null ? '' : roundAmount(before, model.settings.units));
  const [wrong, setWrong] = useState(false);
  const save = (event: React.FormEvent) => {
    event.preventDefault();
    const budget_j = text.trim() ? parseJoules(text) : null;
    if (text.trim() && budget_j === null) {
      setWrong(true);
      return;
    }
    energy.setBudget(budget_j);
    done();
  };
  return (
    <form className="gnb-Budget-edit" onSubmit={save}>
      <label>
        {trans.__('Budget')}
        <input
          autoFocus
          value={text}
          placeholder="20 kJ"
          aria-invalid={wrong}
          aria-describedby="gnb-budget-wrong"
          onFocus={event => event.target.select()}
          onChange={event => {
            setText(event.target.value);
            setWrong(false);
          }}
          onKeyDown={event => event.key === 'Escape' && done()}
        />
      </label>
      <button type="submit" className="gnb-Button gnb-mod-primary">
        {trans.__('Set')}
      </button>
      <TextButton onClick={done}>{trans.__('Cancel')}</TextButton>
      <p id="gnb-budget-wrong" role="alert" className="gnb-Warn">
        {wrong ? trans.__('Write an amount such as 500, 20 kJ or 2 Wh; nothing takes the budget away.') : ''}
      </p>
    </form>
  );
}
