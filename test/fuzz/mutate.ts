import fc from 'fast-check';

/** Inputs per target in `npm test`; the system tests take 10 000, `npm run fuzz` as many as it is told. */
export const INPUTS = Number(process.env.V2GATE_FUZZ_INPUTS ?? 300);
export const SEED = Number(process.env.V2GATE_FUZZ_SEED ?? 20_260_302);
/** Time for a target, ms. */
export const FUZZ_TIME = { timeout: 20_000 + INPUTS * 20 };
/** Inputs that exist at the same time. */
const CHUNK = 1_000;

/** Values that parsers and sums stumble over. */
export const odd = fc.oneof(
  fc.constantFrom<unknown>(null, true, '', ' ', -0, 1e308, -1e308, 5e-324, 2 ** 53, [], {}, [[]], '__proto__'),
  fc.constantFrom<unknown>('\u0000', '\ud800', '💥', '1e999', 'NaN', '2026-13-45T99:99:99Z', '../../etc/passwd'),
  fc.constantFrom<unknown>('x'.repeat(5_000), { ['__proto__']: 1 }, { constructor: { prototype: {} } }),
  fc.jsonValue({ maxDepth: 4 }),
);

type How = 'replace' | 'remove' | 'add' | 'nudge';

/** Another value of the same kind: what a slip of the finger makes of it. */
function nudged(value: unknown, step: number): unknown {
  if (typeof value === 'number') return [0, -value, value * 1_000, value + 0.5, value / 7][step % 5];
  if (typeof value === 'string') return [`${value}x`, value.slice(1), value.toUpperCase(), ''][step % 4];
  return typeof value === 'boolean' ? !value : value;
}

/** One value somewhere inside is replaced, removed, doubled or nudged. */
export function mutated(value: unknown, path: readonly number[], how: How, by: unknown): unknown {
  const [step, ...rest] = path;
  if (how === 'nudge' && (typeof value !== 'object' || value === null)) return nudged(value, step ?? 0);
  if (typeof value !== 'object' || value === null || step === undefined) return by;
  const keys = Object.keys(value);
  if (keys.length === 0) return by;
  const key = keys[step % keys.length] ?? '';
  const child: unknown = Reflect.get(value, key);
  const end = rest.length === 0 || typeof child !== 'object' || child === null;
  const next = end && how !== 'nudge' ? [] : rest;
  if (Array.isArray(value)) {
    if (end && how === 'remove') return value.filter((_, i) => String(i) !== key);
    if (end && how === 'add') return [...value, by];
    return value.map((x: unknown, i) => (String(i) === key ? mutated(x, next, how, by) : x));
  }
  const entries = Object.entries(value);
  if (end && how === 'remove') return Object.fromEntries(entries.filter(([k]) => k !== key));
  if (end && how === 'add') return Object.fromEntries([...entries, [`${key}x`, by]]);
  return Object.fromEntries(entries.map(([k, x]) => [k, k === key ? mutated(x, next, how, by) : x]));
}

const SPLINTERS = [
  '"',
  '\\',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '\u0000',
  '1e999',
  '\\u005f',
  '\ufeff',
  '(',
  ')',
  '$',
  '/*',
];

/** Changes of a text itself: cut, flipped, doubled, spliced. */
export const scratch: fc.Arbitrary<(text: string) => string> = fc.oneof(
  fc.nat().map((at) => (text: string) => text.slice(0, at % (text.length + 1))),
  fc.tuple(fc.nat(), fc.constantFrom(...SPLINTERS)).map(([n, c]) => (text: string) => {
    const at = n % (text.length + 1);
    return text.slice(0, at) + c + text.slice(at + 1);
  }),
  fc.tuple(fc.nat(), fc.nat(40), fc.nat()).map(([from, length, to]) => (text: string) => {
    const at = from % (text.length + 1);
    const rest = text.slice(0, at) + text.slice(at + length);
    const place = to % (rest.length + 1);
    return rest.slice(0, place) + text.slice(at, at + length) + rest.slice(place);
  }),
  fc.constant((text: string) => text + text),
);

/** Most inputs are well-formed JSON with a wrong value somewhere; the others are not JSON any more. */
const maybeScratch = fc.oneof(
  { weight: 6, arbitrary: fc.constant((text: string) => text) },
  { weight: 3, arbitrary: scratch },
);

/** Mutants of the templates, as text. They are made when they are used, so that times in them are present ones. */
export const mutants = (templates: readonly (() => unknown)[]): fc.Arbitrary<() => string> =>
  fc
    .record({
      template: fc.constantFrom(...templates),
      edits: fc.array(
        fc.record({
          path: fc.array(fc.nat(12), { minLength: 1, maxLength: 6 }),
          how: fc.constantFrom<How>('replace', 'remove', 'add', 'nudge', 'nudge'),
          by: odd,
        }),
        { minLength: 1, maxLength: 3 },
      ),
      scratch: maybeScratch,
    })
    .map(
      (m) => () =>
        m.scratch(
          JSON.stringify(m.edits.reduce((x, e) => mutated(x, e.path, e.how, e.by), m.template())) ?? 'undefined',
        ),
    );

/** The inputs of one target in their order, the same for the same seed; `INPUTS` of them. */
export function* inputs<T>(arbitrary: fc.Arbitrary<T>, count = INPUTS): Generator<T> {
  for (let made = 0, chunk = 0; made < count; made += CHUNK, chunk++) {
    yield* fc.sample(arbitrary, { seed: SEED + chunk, numRuns: Math.min(CHUNK, count - made) });
  }
}
