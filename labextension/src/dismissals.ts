/** Which findings a notebook does not want to see: dismissed one by one, or their rule for good. */
import type { INotebookMemory } from './metadata';
import type { ISetAside } from './tokens';
import type { IFinding } from './wire';

/** Longer names are cut where metadata is read (metadata.ts), so they are cut here too. */
const LONGEST_KEY = 200;

/** A finding among the findings of a notebook; the same after the cell ran again, and in the next kernel. */
export function findingKey(finding: IFinding): string {
  return (finding.key || formerKey(finding)).slice(0, LONGEST_KEY);
}

/** What greennb 0.1 called a finding; notebooks of that time remember it so. */
function formerKey({ code, cell_id }: IFinding): string {
  return `${code} ${cell_id ?? ''}`.trimEnd().slice(0, LONGEST_KEY);
}

function isDismissed(finding: IFinding, { dismissed }: INotebookMemory): boolean {
  return dismissed.includes(findingKey(finding)) || dismissed.includes(formerKey(finding));
}

/** The findings that are shown, in their order. */
export function shown(findings: readonly IFinding[], memory: INotebookMemory): IFinding[] {
  return findings.filter(it => !memory.never.includes(it.code) && !isDismissed(it, memory));
}

/** What is not shown: rules first, then findings, also those that this kernel has not found yet. */
export function setAside(findings: readonly IFinding[], memory: INotebookMemory): ISetAside[] {
  const rules = memory.never.map((code): ISetAside => ({
    name: code,
    always: true,
    finding: findings.find(it => it.code === code) ?? null
  }));
  const single = memory.dismissed.map((name): ISetAside => {
    const finding = findings.find(it => findingKey(it) === name || formerKey(it) === name) ?? null;
    return { name, always: false, finding };
  });
  return [...rules, ...single];
}

/** `memory` with one more finding that is not shown, or one more rule. */
export function withDismissal(memory: INotebookMemory, finding: IFinding, always: boolean): INotebookMemory {
  return always
    ? { ...memory, never: [...memory.never, finding.code] }
    : { ...memory, dismissed: [...memory.dismissed, findingKey(finding)] };
}

/** `memory` as it was before that was set aside. */
export function withoutDismissal(memory: INotebookMemory, { name, always }: ISetAside): INotebookMemory {
  const others = (names: string[]): string[] => names.filter(other => other !== name);
  return always
    ? { ...memory, never: others(memory.never) }
    : { ...memory, dismissed: others(memory.dismissed) };
}
