/** Whether two expressions read the same, apart from where they stand. */
export function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) && Array.isArray(b) && a.length !== b.length) return false;
  if (a instanceof RegExp || b instanceof RegExp) return String(a) === String(b);
  const keys = Object.keys(a).filter((k) => k !== 'position');
  if (keys.length !== Object.keys(b).filter((k) => k !== 'position').length) return false;
  return keys.every((k) => isSame(Reflect.get(a, k), Reflect.get(b, k)));
}
