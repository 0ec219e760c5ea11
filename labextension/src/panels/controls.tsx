/** Small controls that several parts use. */
import { Clipboard } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { checkIcon, copyIcon, type LabIcon } from '@jupyterlab/ui-components';
import React, { useEffect, useState } from 'react';

import { plain } from '../format';

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
          {label}
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
  title?: string;
  onClick(): void;
}): JSX.Element {
  return (
    <button
      type="button"
      className={props.primary ? 'gnb-Button gnb-mod-primary' : 'gnb-Button'}
      title={props.title}
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
