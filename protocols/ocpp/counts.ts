import type { Metrics } from '../../core/metrics.ts';
import type { Report } from './effects.ts';
import type { RpcCode } from './errors.ts';
import { RPC_CODES } from './errors.ts';

/** Plain counters of all connections of one server or client: cheap to count, published now and then. */
export class Counts {
  framesIn = 0;
  framesOut = 0;
  timeouts = 0;
  queueDrops = 0;
  lateAnswers = 0;
  badFrames = 0;
  replaced = 0;
  refusedHandshakes = 0;
  /** CALLERRORs by code, sent and received. */
  readonly sent: Record<RpcCode, number> = zeros();
  readonly received: Record<RpcCode, number> = zeros();

  add(r: Report): void {
    switch (r.what) {
      case 'queueFull':
        this.queueDrops++;
        break;
      case 'lateAnswer':
        this.lateAnswers++;
        break;
      case 'badFrame':
        this.badFrames++;
        if (r.code !== undefined) this.sent[r.code]++;
        break;
      case 'peerError':
        if (r.code !== undefined) this.received[r.code]++;
        break;
      default:
        if (r.code !== undefined) this.sent[r.code]++;
    }
  }
}

function zeros(): Record<RpcCode, number> {
  const z: Partial<Record<RpcCode, number>> = {};
  for (const code of RPC_CODES) z[code] = 0;
  return z as Record<RpcCode, number>;
}

/** Publishes what was counted since the last call. */
export function publisher(metrics: Metrics, counts: Counts): () => void {
  const frames = metrics.counter('v2gate_ocpp_frames_total', 'OCPP frames.', ['direction']);
  const errors = metrics.counter('v2gate_ocpp_errors_total', 'CALLERRORs by code.', ['direction', 'code']);
  const events = metrics.counter('v2gate_ocpp_events_total', 'Calls and connections that did not end well.', ['what']);
  const last: Record<string, number> = {};
  /** What `key` has grown by since the last time. */
  const grown = (key: string, now: number): number => {
    const by = now - (last[key] ?? 0);
    last[key] = now;
    return by;
  };
  const add = (counter: typeof frames, key: string, now: number, labels: Record<string, string>): void => {
    const by = grown(key, now);
    if (by > 0) counter.add(by, labels);
  };
  const eventNames = ['timeouts', 'queueDrops', 'lateAnswers', 'badFrames', 'replaced', 'refusedHandshakes'] as const;
  return () => {
    add(frames, 'in', counts.framesIn, { direction: 'in' });
    add(frames, 'out', counts.framesOut, { direction: 'out' });
    for (const what of eventNames) add(events, what, counts[what], { what });
    for (const code of RPC_CODES) {
      add(errors, `out.${code}`, counts.sent[code], { direction: 'out', code });
      add(errors, `in.${code}`, counts.received[code], { direction: 'in', code });
    }
  };
}
