const GAP = 2;
/** Below this a column is not made narrower. */
const LEAST = 10;

/**
 * Lines of a table with aligned columns; empty columns are left out. Where somebody watches (`width` characters), the
 * widest columns are cut until it fits; else it is complete.
 */
export function table(head: readonly string[], rows: readonly (readonly string[])[], width?: number): string[] {
  const used = head.map((_, i) => i).filter((i) => rows.length === 0 || rows.some((r) => (r[i] ?? '') !== ''));
  const all = [head, ...rows].map((r) => used.map((i) => r[i] ?? ''));
  const widths = used.map((_, i) => Math.max(...all.map((r) => (r[i] ?? '').length)));
  if (width !== undefined) narrow(widths, width);
  return all.map((r) => {
    const line = r.map((text, i) => cut(text, widths[i] ?? 0).padEnd(widths[i] ?? 0)).join(' '.repeat(GAP));
    return width === undefined ? line.trimEnd() : cut(line.trimEnd(), width);
  });
}

/** Takes from the widest column, character by character, what does not fit. */
function narrow(widths: number[], width: number): void {
  let over = widths.reduce((sum, w) => sum + w, 0) + GAP * (widths.length - 1) - width;
  for (; over > 0; over--) {
    const widest = widths.indexOf(Math.max(...widths));
    const w = widths[widest] ?? 0;
    if (w <= LEAST) return;
    widths[widest] = w - 1;
  }
}

const cut = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
