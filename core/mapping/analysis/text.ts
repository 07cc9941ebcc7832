/** The most similar of the candidates, if one is similar enough to have been meant. */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.floor(name.length / 3));
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const c of candidates) {
    const d = distance(name.toLowerCase(), c.toLowerCase(), bestDistance);
    if (d < bestDistance) {
      best = c;
      bestDistance = d;
    }
  }
  return best;
}

/** Names that are told one by one. */
const FEW = 12;

/** What may have been meant by a field that does not exist; of few fields all are named. */
export function fieldHint(name: string, fields: readonly string[]): string | undefined {
  const meant = nearest(name, fields);
  if (meant !== undefined) return `Is ${meant} meant?`;
  const all = [...new Set(fields)];
  return all.length > 0 && all.length <= FEW ? `It has ${all.join(', ')}.` : undefined;
}

/** Edit distance, given up once it reaches `stop`. */
function distance(a: string, b: string, stop: number): number {
  if (Math.abs(a.length - b.length) >= stop) return stop;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return Math.min(stop, row[b.length] ?? stop);
}

const UNITS = [
  'kWh',
  'MWh',
  'Wh',
  'kvarh',
  'varh',
  'kW',
  'MW',
  'W',
  'kvar',
  'var',
  'kVA',
  'VA',
  'mA',
  'A',
  'mV',
  'V',
  'Hz',
  'ms',
  'min',
  's',
  'Pct',
];
/** The unit by the ending that names it: `KWh` and `Kwh`, and behind an underscore any spelling. */
const BY_ENDING: ReadonlyMap<string, string> = new Map(
  UNITS.flatMap((u) => {
    const suffix = u.charAt(0).toUpperCase() + u.slice(1);
    return [suffix, suffix.charAt(0) + suffix.slice(1).toLowerCase()].map((s) => [s, u] as const);
  }),
);
const BY_LOWER_CASE: ReadonlyMap<string, string> = new Map(
  [...UNITS].reverse().map((u) => [u.toLowerCase(), u] as const),
);
const ENDING = new RegExp(`[a-z0-9](${[...BY_ENDING.keys()].sort((a, b) => b.length - a.length).join('|')})$`);

/** The unit that a field name ends in (fo 2.1), e.g. `powerW` → `W`, `energyKWh`, `energyKwh` and `energy_kwh` → `kWh`. */
export function unitOfName(name: string): string | undefined {
  const ending = ENDING.exec(name)?.[1];
  if (ending !== undefined) return BY_ENDING.get(ending);
  const last = name.lastIndexOf('_');
  return last > 0 ? BY_LOWER_CASE.get(name.slice(last + 1).toLowerCase()) : undefined;
}
