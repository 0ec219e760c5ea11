/** Small controls that several parts use. */
import { Clipboard } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { caretDownIcon, caretRightIcon, checkIcon, copyIcon, type LabIcon } from '@jupyterlab/ui-components';
import React, { useEffect, useState } from 'react';

import { plain } from '../format';
import type { INotebookEnergy } from '../tokens';
import { useFold } from './folds';

/** Longer foreign text is cut: nobody reads it, and a page must not choke on it. */
const LONGEST_TEXT = 300;

/** Text that a kernel or a file brought: only ever text, whichever way it is written. */
export function Foreign(props: { text: string; width?: number; className?: string }): JSX.Element {
  return <bdi className={props.className}>{plain(props.text, props.width ?? LONGEST_TEXT)}</bdi>;
}

interface IChoice<T> {
  value: T;
  label: string;
  disabled?: boolean;
  title?: string;
}

/** Few choices of which one holds. */
export function Segmented<T extends string | number>(props: {
  label: string;
  choices: readonly IChoice<T>[];
  value: T;
  onChange(value: T): void;
}): JSX.Element {
  return (
    <div className="gnb-Segmented" role="group" aria-label={props.label}>
      {props.choices.map(({ value, label, disabled, title }) => (
        <button
          key={value}
          type="button"
          aria-pressed={value === props.value}
          disabled={disabled}
          title={title}
          onClick={() => props.onChange(value)}
        >
          <Foreign text={label} width={60} />
        </button>
      ))}
    </div>
  );
}

/** A button that is an icon. */
export function IconButton(props: {
  icon: LabIcon;
  label: string;
  pressed?: boolean;
  onClick(): void;
}): JSX.Element {
  return (
    <button
      type="button"
      className="gnb-IconButton"
      title={props.label}
      aria-label={props.label}
      aria-pressed={props.pressed}
      onClick={props.onClick}
    >
      <props.icon.react tag="span" width="14px" height="14px" />
    </button>
  );
}

/** A button with words on it. */
export function TextButton(props: {
  children: React.ReactNode;
  primary?: boolean;
  disabled?: boolean;
  title?: string;
  onClick(): void;
}): JSX.Element {
  return (
    <button
      type="button"
      className={props.primary ? 'gnb-Button gnb-mod-primary' : 'gnb-Button'}
      title={props.title}
      disabled={props.disabled}
      onClick={props.onClick}
    >
      {props.children}
    </button>
  );
}

/** Code or a command, with a button that copies it. */
export function Copyable(props: { text: string; trans: TranslationBundle }): JSX.Element {
  const { text, trans } = props;
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (copied) {
      const timer = setTimeout(() => setCopied(false), 2000);
      return () => clearTimeout(timer);
    }
  }, [copied]);
  return (
    <div className="gnb-Copyable">
      <pre tabIndex={0}>
        <bdi>{text}</bdi>
      </pre>
      <IconButton
        icon={copied ? checkIcon : copyIcon}
        label={copied ? trans.__('Copied') : trans.__('Copy')}
        onClick={() => {
          Clipboard.copyToSystem(text);
          setCopied(true);
        }}
      />
    </div>
  );
}

/** A line that opens what is below it. */
export function Fold(props: {
  open: boolean;
  children: React.ReactNode;
  id?: string;
  onToggle(open: boolean): void;
}): JSX.Element {
  const Caret = props.open ? caretDownIcon : caretRightIcon;
  return (
    <button
      type="button"
      id={props.id}
      className="gnb-Fold"
      aria-expanded={props.open}
      onClick={() => props.onToggle(!props.open)}
    >
      <Caret.react tag="span" width="14px" height="14px" />
      {props.children}
    </button>
  );
}

/** Buttons of a card, and its code once somebody wants to see it. */
export function CodeOf(props: {
  code: string;
  fold: string;
  energy: INotebookEnergy;
  trans: TranslationBundle;
  children: React.ReactNode;
}): JSX.Element {
  const { code, energy, trans } = props;
  const [open, setOpen] = useFold(energy, `code ${props.fold}`);
  return (
    <>
      <div className="gnb-Card-buttons">
        <button type="button" className="gnb-Button" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? trans.__('Hide code') : trans.__('Show code')}
        </button>
        {props.children}
      </div>
      {open ? <Copyable text={code} trans={trans} /> : null}
    </>
  );
}

/** Small facts in a row, dots between them; a line breaks only after a dot. */
export function Dotted({ words }: { words: readonly string[] }): JSX.Element {
  return (
    <>
      {words.map((word, index) => (
        <React.Fragment key={word}>
          <span className="gnb-Fact">
            <Foreign text={word} />
            {index < words.length - 1 ? ' ·' : ''}
          </span>{' '}
        </React.Fragment>
      ))}
    </>
  );
}
