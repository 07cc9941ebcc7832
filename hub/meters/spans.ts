import type { Quality } from '../../model/index.ts';
import type { PresentPower } from '../dispatch/index.ts';
import { belowW, type TwinEntry } from '../fleet/twin.ts';
import type { PowerSpan } from './types.ts';

/** What is known about one EVSE when a meter above it is read. */
export interface EvFacts {
  readonly entry: TwinEntry;
  /** No power can flow: nobody is there. */
  readonly idle: boolean;
  readonly quality: Quality;
  readonly present: PresentPower;
  /** It refused, does not follow, or does not answer. */
  readonly uncertain: boolean;
}

const NOTHING: PowerSpan = { lowW: 0, highW: 0 };

/**
 * Between what the power of an EVSE was at the time (epoch ms) of a reading above it. Its own values of about that time
 * tell it exactly. While a command is under way it may be anything between what was measured and all that it was told;
 * where nothing was measured, anything that it may do (fo 6.4, fo 8.2).
 */
export function spanAt(f: EvFacts, at: number): PowerSpan {
  const { entry, present } = f;
  if (f.idle) return NOTHING;
  const r = entry.reading;
  const isOfSession = r?.powerAt !== undefined && (entry.session === undefined || r.powerAt >= entry.session.since);
  const lastW = isOfSession ? r.powerW : undefined;
  const { minW, maxW } = present;
  if (!entry.online) return wide(lastW ?? 0, 0, 0 - entry.resource.offlineExportW, belowW(entry), minW, maxW);
  if (lastW === undefined || f.quality === 'missing') return wide(lastW ?? 0, 0, minW, maxW);
  const between = betweenSamples(entry, at);
  if (between) return between;
  return present.pendingW === undefined && !f.uncertain ? { lowW: lastW, highW: lastW } : wide(lastW, minW, maxW);
}

/** Power between two of its own values lies between them; undefined when `at` does not. */
export function betweenSamples({ reading, before }: TwinEntry, at: number): PowerSpan | undefined {
  if (reading?.powerW === undefined || reading.powerAt === undefined || before === undefined) return undefined;
  if (at < before.at || at > reading.powerAt) return undefined;
  return wide(before.powerW, reading.powerW);
}

const wide = (...powers: number[]): PowerSpan => ({ lowW: Math.min(...powers), highW: Math.max(...powers) });
