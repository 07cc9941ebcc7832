import type { BuiltinRow } from '../fn.ts';
import { wrapped } from '../frame.ts';
import { charge, Failure, fail, type RunState } from '../state.ts';
import { fromMillis } from './pictures.ts';

/** Characters that `$eval` takes. */
const MAX_EVAL = 20_000;

/** Steps that compiling a text costs; a thousand texts are about the budget of one run. */
const evalCost = (text: string): number => 500 + 5 * text.length;

/** `$eval(text, context?)`: evaluates a text with the variables in sight. Fails with D3120 (syntax) or D3121. */
function evaluate(s: RunState, text: unknown, focus: unknown): unknown {
  if (text === undefined) return undefined;
  const { frame, evaluator } = s;
  if (!frame || !evaluator) return fail('D3121', -1, { text: 'There are no variables in sight.' });
  const t = text as string;
  if (t.length > MAX_EVAL) fail('D3120', -1, { value: `${t.length} characters`, text: 'The text is too long.' });
  const x = focus === undefined ? s.context : wrapped(focus);
  charge(s, evalCost(t));
  const code = evaluator(t);
  if (++s.depth > s.limits.depth) fail('D1011', -1, { value: s.limits.depth });
  try {
    return code(frame, x);
  } catch (e) {
    throw e instanceof Failure ? new Failure('D3121', -1, { cause: e.info.cause ?? e }) : e;
  } finally {
    s.depth--;
  }
}

function shuffle(s: RunState, v: unknown): unknown {
  if (v === undefined) return undefined;
  const items = v as readonly unknown[];
  if (items.length <= 1) return items;
  charge(s, items.length);
  const out = new Array<unknown>(items.length);
  for (let i = 0; i < items.length; i++) {
    const j = Math.floor(random(s) * (i + 1));
    if (i !== j) out[i] = out[j];
    out[j] = items[i];
  }
  return out;
}

const random = (s: RunState): number => (s.effects ? s.effects.random() : fail('X0004', -1, { token: 'random' }));
const now = (s: RunState): number => (s.effects ? s.now : fail('X0004', -1, { token: 'now' }));

/** Functions that depend on more than their arguments; `$eval` only on the variables in sight. */
export const EFFECT_FUNCTIONS: readonly BuiltinRow[] = [
  ['eval', '<sx?:x>', ['expr', 'focus'], 2, evaluate],
  ['now', '<s?s?:s>', ['picture', 'timezone'], 2, (s, picture, zone) => fromMillis(s, now(s), picture, zone)],
  ['millis', '<:n>', [''], 0, (s) => now(s)],
  ['random', '<:n>', [''], 0, (s) => random(s)],
  ['shuffle', '<a:a>', ['arr'], 1, shuffle],
];
