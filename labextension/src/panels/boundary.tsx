import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { TextButton } from './controls';

interface IBoundaryProps {
  /** What the part is called. */
  name: string;
  trans: TranslationBundle;
  children: React.ReactNode;
}

/** A part that fails says so in its place, and the others go on. */
export class Boundary extends React.Component<IBoundaryProps, { failed: string | null }> {
  override state = { failed: null };

  static getDerivedStateFromError(error: unknown): { failed: string } {
    return { failed: String(error) };
  }

  override componentDidCatch(error: unknown): void {
    console.error(`greennb: ${this.props.name} could not be shown`, error);
  }

  override render(): React.ReactNode {
    const { name, trans } = this.props;
    if (this.state.failed === null) {
      return this.props.children;
    }
    return (
      <div className="gnb-Notice gnb-mod-warn" role="alert">
        <p>{trans.__('%1 could not be shown. The browser’s console says why.', name)}</p>
        <TextButton onClick={() => this.setState({ failed: null })}>{trans.__('Try again')}</TextButton>
      </div>
    );
  }
}
