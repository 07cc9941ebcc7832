/**
 * @typedef {object} DiffLine
 * @property {'same' | 'added' | 'removed'} kind
 * @property {string} text
 * @property {number} [before] Line in the old text, from 1; absent when added.
 * @property {number} [after] Line in the new text, from 1; absent when removed.
 */

/** More lines than this are compared as a whole. */
const MAX_CELLS = 4_000_000;

/**
 * The lines of both texts in order: what they share, what was removed, what was added; as few changes as possible.
 * @param {string} before
 * @param {string} after
 * @returns {DiffLine[]}
 */
export function diffLines(before, after) {
  const a = linesOf(before);
  const b = linesOf(after);
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  return [
    ...a.slice(0, start).map((text, i) => same(text, i + 1, i + 1)),
    ...middle(a.slice(start, a.length - end), b.slice(start, b.length - end), start),
    ...a.slice(a.length - end).map((text, i) => same(text, a.length - end + i + 1, b.length - end + i + 1)),
  ];
}

/** @param {string} text A line end at the end begins no line. */
const linesOf = (text) => (text === '' ? [] : text.replace(/\r\n/g, '\n').replace(/\n$/, '').split('\n'));

/** @param {string} text @param {number} before @param {number} after @returns {DiffLine} */
const same = (text, before, after) => ({ kind: 'same', text, before, after });

/**
 * The longest common subsequence, by table.
 * @param {readonly string[]} a
 * @param {readonly string[]} b
 * @param {number} offset
 * @returns {DiffLine[]}
 */
function middle(a, b, offset) {
  const common = a.length * b.length > MAX_CELLS ? undefined : lengths(a, b);
  const width = b.length + 1;
  const at = (/** @type {number} */ i, /** @type {number} */ j) => common?.[i * width + j] ?? 0;
  /** @type {DiffLine[]} */
  const out = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (common && i < a.length && j < b.length && a[i] === b[j]) {
      out.push(same(a[i] ?? '', offset + i + 1, offset + j + 1));
      i++;
      j++;
    } else if (i < a.length && (j >= b.length || at(i + 1, j) >= at(i, j + 1))) {
      out.push({ kind: 'removed', text: a[i] ?? '', before: offset + i + 1 });
      i++;
    } else {
      out.push({ kind: 'added', text: b[j] ?? '', after: offset + j + 1 });
      j++;
    }
  }
  return out;
}

/** @param {readonly string[]} a @param {readonly string[]} b */
function lengths(a, b) {
  const width = b.length + 1;
  const table = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const down = table[(i + 1) * width + j] ?? 0;
      const right = table[i * width + j + 1] ?? 0;
      table[i * width + j] = a[i] === b[j] ? (table[(i + 1) * width + j + 1] ?? 0) + 1 : Math.max(down, right);
    }
  }
  return table;
}
