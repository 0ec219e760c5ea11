/**
 * Small checks at the door. A check gives the value that fits, trimmed where it is too large, or undefined where it does
 * not fit; it never throws and never invents a number.
 */
export type Check<T> = (value: unknown) => T | undefined;

/** Text of at most `most` UTF-16 units; what is longer is cut. */
export function text(most = 4000): Check<string> {
  return value => (typeof value === 'string' ? value.slice(0, most) : undefined);
}

/** A finite number. */
export const finite: Check<number> = value =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined;

/** A finite number of at least 0. */
export const amount: Check<number> = value => {
  const known = finite(value);
  return known !== undefined && known >= 0 ? known : undefined;
};

/** A share, 0 to 1. */
export const share: Check<number> = value => {
  const known = finite(value);
  return known !== undefined && known >= 0 && known <= 1 ? known : undefined;
};

export const flag: Check<boolean> = value => (typeof value === 'boolean' ? value : undefined);

/** One of a few texts. */
export function oneOf<T extends string>(...known: readonly T[]): Check<T> {
  return value => known.find(it => it === value);
}

/** What does not fit is missing. */
export function maybe<T>(check: Check<T>): Check<T | null> {
  return value => check(value) ?? null;
}

/** What does not fit is `fallback`. */
export function orElse<T>(check: Check<T>, fallback: T): Check<T> {
  return value => check(value) ?? fallback;
}

/** A list of at most `most`; what does not fit is left out. */
export function some<T>(check: Check<T>, most: number): Check<T[]> {
  return value =>
    Array.isArray(value)
      ? value
          .slice(0, most)
          .map(check)
          .filter((it): it is T => it !== undefined)
      : undefined;
}

/** A list of at most `most` in which order counts: one that does not fit spoils it. */
export function every<T>(check: Check<T>, most: number): Check<T[]> {
  return value => {
    if (!Array.isArray(value)) {
      return undefined;
    }
    const known: T[] = [];
    for (const it of value.slice(0, most)) {
      const fits = check(it);
      if (fits === undefined) {
        return undefined;
      }
      known.push(fits);
    }
    return known;
  };
}

/** A check for each field. */
export type Fields<T> = { [K in keyof T]-?: Check<T[K]> };

const OPTIONAL = new WeakSet<Check<unknown>>();

/** A field that may be left out, as older writers do; one that does not fit is left out too. */
export function optional<T>(check: Check<T>): Check<T | undefined> {
  const loose: Check<T | undefined> = value => check(value);
  OPTIONAL.add(loose);
  return loose;
}

/** An object with these fields, each of which has to fit; fields that nobody knows are left out. */
export function shape<T extends object>(fields: Fields<T>): Check<T> {
  const names = Object.keys(fields) as (keyof T & string)[];
  return value => {
    if (!isRecord(value)) {
      return undefined;
    }
    const known: Partial<T> = {};
    for (const name of names) {
      const fits = fields[name](value[name]);
      if (fits !== undefined) {
        known[name] = fits;
      } else if (!OPTIONAL.has(fields[name])) {
        return undefined;
      }
    }
    return known as T;
  };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
