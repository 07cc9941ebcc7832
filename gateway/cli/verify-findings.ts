/** One line of what was checked. `undefined`: it could not be checked, and why. */
export interface Finding {
  readonly ok: boolean | undefined;
  readonly text: string;
}

export const yes = (text: string): Finding => ({ ok: true, text });
export const no = (text: string): Finding => ({ ok: false, text });
/** It could not be checked; that alone is no reason to refuse. */
export const open = (text: string): Finding => ({ ok: undefined, text });

/** The line as people see it. */
export const lineOf = ({ ok, text }: Finding): string => `  ${ok === undefined ? '–' : ok ? '✓' : '✗'} ${text}`;

/** `yes` when no complaint is there, else one line per complaint, at most `max`. */
export function verdict(good: string, complaints: readonly string[], max = 5): Finding[] {
  if (complaints.length === 0) return [yes(good)];
  const more = complaints.length > max ? [no(`… and ${complaints.length - max} more`)] : [];
  return [...complaints.slice(0, max).map(no), ...more];
}
