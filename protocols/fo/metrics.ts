import type { Metrics } from '../../core/metrics.ts';
import { isFoType } from './catalogue.ts';

/** What a session counts. */
export interface FoMetrics {
  received(type: string): void;
  sent(type: string): void;
  refused(code: string): void;
}

const NONE: FoMetrics = { received: () => undefined, sent: () => undefined, refused: () => undefined };
const OWN: readonly string[] = ['Hello', 'Heartbeat', 'Result'];

export function foMetrics(metrics: Metrics | undefined): FoMetrics {
  if (!metrics) return NONE;
  const messages = metrics.counter('v2gate_fo_messages_total', 'FO messages by direction and type.', [
    'direction',
    'type',
  ]);
  const refusals = metrics.counter('v2gate_fo_refused_total', 'FO messages refused, by code.', ['code']);
  const label = (type: string): string => (isFoType(type) || OWN.includes(type) ? type : 'other');
  return {
    received: (type) => messages.add(1, { direction: 'in', type: label(type) }),
    sent: (type) => messages.add(1, { direction: 'out', type: label(type) }),
    refused: (code) => refusals.add(1, { code }),
  };
}
