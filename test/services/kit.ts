import { iso, type ManualClock, manualClock } from '../../core/clock.ts';
import { ServiceBook } from '../../hub/services/book.ts';
import type { Capacity } from '../../hub/services/request.ts';
import type { Notice, Service } from '../../hub/services/service.ts';
import type { RequestService, ResultBody, ServiceDecision, SiteFile } from '../../model/index.ts';
import { siteFile } from '../support/site-file.ts';

export type Fsr = RequestService['fsr'];

/** A book over a fleet that can do what a test says. */
export interface BookWorld {
  readonly clock: ManualClock;
  readonly book: ServiceBook;
  can: {
    low: number;
    high: number;
    measured: number | undefined;
    mean: number | undefined;
    out: string[];
    demand: { neededW: number; leastW: number };
  };
  request(patch?: Partial<Fsr>, parameters?: Record<string, unknown>): RequestService;
  /** Asks, and puts in force what comes of it, as if it was stored. */
  ask(patch?: Partial<Fsr>, parameters?: Record<string, unknown>, fo?: string): ResultBody;
  decision(): ServiceDecision | undefined;
  service(fsrId?: string): Service;
  notices(): Notice[];
  /** An accepted service whose window has begun. */
  active(patch?: Partial<Fsr>, parameters?: Record<string, unknown>): Service;
}

export function bookWorld(file: SiteFile = siteFile()): BookWorld {
  const clock = manualClock();
  const can: BookWorld['can'] = {
    low: -11_000,
    high: 33_080,
    measured: 4000,
    mean: undefined,
    out: [],
    demand: { neededW: 0, leastW: 0 },
  };
  const capacity: Capacity = {
    known: (id) => ['V2G-1.1', 'AC-1.1', 'AC-2.1'].includes(id),
    availableNow: () => ({ lowW: can.low, highW: can.high }),
    installed: () => ({ lowW: can.low, highW: can.high }),
    preview: (_s, targetW) =>
      targetW > can.high ? { appliedW: can.high, limitedBy: 'wished' } : { appliedW: targetW },
    measured: () => can.measured,
    mean: () => can.mean,
    planned: (_scope, from, to) =>
      can.measured === undefined
        ? undefined
        : { start: iso(from), end: iso(to), points: [{ offsetS: 0, powerW: can.measured }] },
    isOut: (id) => can.out.includes(id),
    nodes: (fsr, members) => (fsr.target.referencePoint === 'site' ? ['poc'] : members),
    demand: () => can.demand,
  };
  const book = new ServiceBook({ file, clock, capacity });
  const w: BookWorld = {
    clock,
    book,
    can,
    request(patch = {}, parameters = {}) {
      const now = clock.now();
      const fsr = {
        fsrId: 'N-1',
        revision: 1,
        contractId: 'C-1',
        serviceType: 'setpoint' as const,
        target: { groupId: 'g:all', referencePoint: 'group' as const },
        window: { start: iso(now), end: iso(now + 180_000) },
        decisionBy: iso(now + 5000),
        mandatory: false,
        priority: 5,
        parameters: {
          mode: 'absolute' as const,
          minW: -10_000,
          maxW: 20_000,
          toleranceW: 500,
          updateIntervalS: 4,
          ...parameters,
        },
        fallback: { onExpiry: 'baseline' as const },
        ...patch,
      };
      return { fsr };
    },
    ask(patch, parameters, fo = 'fo:test') {
      const { result, service } = book.request(w.request(patch, parameters), fo);
      if (service) book.commit(service);
      return result;
    },
    decision: () => book.all().at(-1)?.service.decision,
    service(fsrId = 'N-1') {
      const entry = book.get(`fo:test/${fsrId}`);
      if (!entry) throw new Error(`no service ${fsrId}`);
      return entry.service;
    },
    notices: () => book.all().flatMap((e) => e.service.outgoing),
    active(patch, parameters) {
      w.ask(patch, parameters);
      const begun = book.begun(w.service(), undefined);
      if (begun) book.commit(begun);
      return w.service();
    },
  };
  return w;
}
