import { BoundedMap } from '../../core/bounded.ts';
import { iso } from '../../core/clock.ts';
import type { Service } from '../services/service.ts';
import type { Ledger } from '../site/ledger.ts';
import { severityOf } from './kinds.ts';
import type { AppliedPoint, EventNote } from './types.ts';

const MAX_SERVICES = 2_000;
/** That a setpoint is clipped is noted once in this time for each service. */
const CLIPPED_MS = 60_000;

export interface CurvesOptions {
  readonly ledger: Ledger;
  readonly note: (event: EventNote) => void;
}

/** The applied curves of services as they are stored: a point wherever something changed. */
export class Curves {
  readonly #o: CurvesOptions;
  readonly #last = new BoundedMap<string, AppliedPoint>({
    name: 'evidence.points',
    max: MAX_SERVICES,
    overflow: 'dropOldest',
  });
  readonly #clippedAt = new BoundedMap<string, number>({
    name: 'evidence.clipped',
    max: MAX_SERVICES,
    overflow: 'dropOldest',
  });

  constructor(o: CurvesOptions) {
    this.#o = o;
  }

  /** True when the point says something new. */
  take(key: string, point: AppliedPoint, service: Service | undefined): boolean {
    const last = this.#last.get(key);
    if (last && isSame(last, point)) return false;
    this.#last.set(key, point);
    this.#o.ledger.later({ op: 'put', kind: 'curve', key: `${key}/${padded(point.at)}`, at: point.at, body: point });
    const isNews = point.limitedBy !== undefined && point.limitedBy !== last?.limitedBy;
    if (service && isNews && point.at - (this.#clippedAt.get(key) ?? 0) >= CLIPPED_MS) {
      this.#clippedAt.set(key, point.at);
      this.#o.note(clipped(service, point));
    }
    return true;
  }

  /** The points of a service in order, from a time on (epoch ms). */
  async *since(key: string, fromMs: number): AsyncGenerator<AppliedPoint> {
    for await (const { body } of this.#o.ledger.all('curve', `${key}/`, `${key}/${padded(fromMs)}`)) {
      const point = body as AppliedPoint;
      this.#last.set(key, point);
      yield point;
    }
  }

  forget(key: string): void {
    this.#last.delete(key);
    this.#clippedAt.delete(key);
  }
}

function clipped({ fsr, foId }: Service, { at, limitedBy = '', requestedW, appliedW }: AppliedPoint): EventNote {
  return {
    kind: 'setpoint.clipped',
    severity: severityOf('setpoint.clipped'),
    subject: [fsr.fsrId],
    parties: [foId],
    cause: limitedBy,
    text: `asked ${requestedW ?? '–'} W, applied ${appliedW ?? '–'} W at ${iso(at)}`,
  };
}

const padded = (ms: number): string => String(ms).padStart(15, '0');

const isSame = (a: AppliedPoint, b: AppliedPoint): boolean =>
  a.requestedW === b.requestedW && a.appliedW === b.appliedW && a.limitedBy === b.limitedBy;
