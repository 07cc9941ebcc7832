/** JSON in pieces that a style sheet can colour. */

/** @typedef {{ kind: '' | 'key' | 'string' | 'number' | 'word', text: string }} Token */

/** Longer texts stay in one piece: nobody reads them by colour. */
const MAX_COLOURED = 50_000;
const PIECE = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\b(true|false|null)\b/g;

/**
 * The pieces of a JSON text in their order; together they are the text.
 * @param {string} text
 * @returns {Token[]}
 */
export function tokensOf(text) {
  if (text.length > MAX_COLOURED) return [{ kind: '', text }];
  /** @type {Token[]} */
  const tokens = [];
  let end = 0;
  for (const found of text.matchAll(PIECE)) {
    const [whole, string, colon, number] = found;
    if (found.index > end) tokens.push({ kind: '', text: text.slice(end, found.index) });
    if (string !== undefined) {
      tokens.push({ kind: colon === undefined ? 'string' : 'key', text: string });
      if (colon !== undefined) tokens.push({ kind: '', text: colon });
    } else tokens.push({ kind: number === undefined ? 'word' : 'number', text: whole });
    end = found.index + whole.length;
  }
  if (end < text.length) tokens.push({ kind: '', text: text.slice(end) });
  return tokens;
}
