/** Listening to signals from React, only while the panel is seen. */
import type { ISignal } from '@lumino/signaling';
import { createContext, useContext, useEffect, useReducer, useRef, useState } from 'react';

/** Whether the panel is on screen. */
export const Seen = createContext(true);

/** Two renders of numbers are at least this far apart. */
export const NUMBERS_MS = 500;

/**
 * Render when `signal` is emitted, at most once every `pace_ms`, not at all while the panel is hidden, and once when it
 * comes back.
 */
export function useSignal<S, A>(signal: ISignal<S, A>, pace_ms = 0): void {
  const seen = useContext(Seen);
  const [, render] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    if (!seen) {
      return;
    }
    const slow = throttle(render, pace_ms);
    signal.connect(slow.call);
    render();
    return () => {
      signal.disconnect(slow.call);
      slow.cancel();
    };
  }, [signal, seen, pace_ms]);
}

/**
 * Render with samples, at most once every `pace_ms`: in step with the clock as the chart is, and before the next frame,
 * so that numbers and chart are painted together.
 */
export function useSamples<S, A>(signal: ISignal<S, A>, pace_ms = NUMBERS_MS): void {
  const seen = useContext(Seen);
  const [, render] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    if (!seen) {
      return;
    }
    let slot = NaN;
    const sampled = () => {
      const now = Math.floor(performance.now() / pace_ms);
      if (now !== slot) {
        slot = now;
        render();
      }
    };
    signal.connect(sampled);
    render();
    return () => {
      signal.disconnect(sampled);
    };
  }, [signal, seen, pace_ms]);
}

/** A value that changes with time, looked at every `pace_ms` while the panel is seen; renders when it is another. */
export function useClock<T extends string | number | boolean>(look: () => T, pace_ms = 1000): T {
  const seen = useContext(Seen);
  const latest = useRef(look);
  latest.current = look;
  const [, setValue] = useState(look);
  useEffect(() => {
    if (!seen) {
      return;
    }
    const timer = setInterval(() => setValue(latest.current()), pace_ms);
    return () => clearInterval(timer);
  }, [seen, pace_ms]);
  return look();
}

/** `action` at once, then at most once every `pace_ms`, and a last time for what came meanwhile. */
function throttle(action: () => void, pace_ms: number): { call: () => void; cancel: () => void } {
  let timer = 0;
  let waiting = false;
  const run = () => {
    waiting = false;
    action();
    timer = window.setTimeout(() => {
      timer = 0;
      if (waiting) {
        run();
      }
    }, pace_ms);
  };
  return {
    call: () => {
      if (timer) {
        waiting = true;
      } else {
        run();
      }
    },
    cancel: () => window.clearTimeout(timer)
  };
}
