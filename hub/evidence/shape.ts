import type { Segment } from './meter-track.ts';

const HOUR_MS = 3_600_000;

/** Energy of a part of a span, Wh ≥ 0. */
export interface Share {
  readonly importWh: number;
  readonly exportWh: number;
}

/**
 * The energy of a span that lies in `[fromMs, toMs)` of it. Where the power at both ends is known and the energy says
 * when it changed from one to the other, so it is shared: a setpoint that begins with an interval moves nothing into the
 * interval before. Else by time.
 */
export function shareOf(s: Segment, fromMs: number, toMs: number): Share {
  if (fromMs <= s.fromMs && toMs >= s.toMs && s.toMs > s.fromMs) return s;
  const length = s.toMs - s.fromMs;
  const [x, y] = [Math.max(fromMs, s.fromMs) - s.fromMs, Math.min(toMs, s.toMs) - s.fromMs];
  if (!(y > x)) return { importWh: 0, exportWh: 0 };
  const evenly = (y - x) / length;
  const change = changeOf(s, length);
  if (change === undefined) return { importWh: s.importWh * evenly, exportWh: s.exportWh * evenly };
  const { at, a, b } = change;
  const upTo = (t: number, sign: 1 | -1): number =>
    Math.max(0, sign * a) * Math.min(t, at) + Math.max(0, sign * b) * Math.max(0, t - at);
  const part = (sign: 1 | -1): number => {
    const all = upTo(length, sign);
    return all > 0 ? (upTo(y, sign) - upTo(x, sign)) / all : evenly;
  };
  return { importWh: s.importWh * part(1), exportWh: s.exportWh * part(-1) };
}

/** When the power went from `a` to `b`, ms from the begin, by the energy; undefined where no such moment explains it. */
function changeOf({ endsW, importWh, exportWh, quality }: Segment, length: number) {
  if (endsW === undefined || quality === 'missing') return undefined;
  const { from: a, to: b } = endsW;
  if (a === b) return undefined;
  const at = ((importWh - exportWh) * HOUR_MS - b * length) / (a - b);
  return at >= 0 && at <= length ? { at, a, b } : undefined;
}
