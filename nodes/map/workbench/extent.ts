/** A long text counts as several values. */
const TEXT_PER_VALUE = 64;

/**
 * Whether a value would be written out with more than `max` values (fields, items, every 64 characters of a text). A part
 * that occurs several times counts each time, so that a small result with a huge JSON text is found. Costs at most `max`
 * steps; a cycle is larger than anything.
 */
export function isLargerThan(value: unknown, max: number): boolean {
  const open: unknown[] = [value];
  let seen = 0;
  while (open.length > 0) {
    const next = open.pop();
    seen += typeof next === 'string' ? 1 + next.length / TEXT_PER_VALUE : 1;
    if (seen > max) return true;
    if (typeof next !== 'object' || next === null) continue;
    const inside: readonly unknown[] = Array.isArray(next) ? next : Object.values(next);
    if (seen + open.length + inside.length > max) return true;
    for (const part of inside) open.push(part);
  }
  return false;
}
