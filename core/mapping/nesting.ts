const TOKEN = /"(?:\\[\s\S]|[^"\\])*"|'(?:\\[\s\S]|[^'\\])*'|`[^`]*`|\/\*[\s\S]*?\*\/|\?\?|\?:|[([{)\]}]/g;

/** Brackets inside each other that may hold `??` or `?:`. */
export const MAX_DEFAULTS = 10;

/**
 * How many brackets inside each other hold `??` or `?:`. The parser copies the left side of these operators, so that each
 * such bracket doubles what is inside it.
 */
export function nestedDefaults(text: string): number {
  if (!text.includes('??') && !text.includes('?:')) return 0;
  const open = [{ inside: 0, holds: 0 }];
  let top = 0;
  for (const [token] of text.matchAll(TOKEN)) {
    const level = open.at(-1);
    if (!level) break;
    if (token === '??' || token === '?:') level.holds = 1;
    else if ('([{'.includes(token)) open.push({ inside: 0, holds: 0 });
    else if (')]}'.includes(token) && open.length > 1) {
      open.pop();
      const outer = open.at(-1);
      if (outer) outer.inside = Math.max(outer.inside, level.inside + level.holds);
    }
    top = Math.max(top, level.inside + level.holds);
  }
  return Math.max(top, ...open.map((level) => level.inside + level.holds));
}
