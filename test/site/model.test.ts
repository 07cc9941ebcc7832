import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import { nextState, SERVICE_MOVES, type ServiceEvent, type ServiceState } from '../../hub/services/machine.ts';
import type { ExecutionNotice, ServiceDecision } from '../../model/index.ts';
import { siteFile } from '../support/site-file.ts';
import type { SiteWorld } from '../support/site-world.ts';
import { congestion, contracts, fleet, fsr, ISSUERS, opt, quick, request, SITE_WIDE, setpoint } from './kit.ts';

const FINAL: readonly string[] = ['completed', 'aborted', 'failed', 'rejected', 'optedOut'];
const IDS = ['N-1', 'N-2', 'L-1'];

type Step =
  | {
      readonly do: 'request';
      readonly id: number;
      readonly lead: number;
      readonly askUser: boolean;
      readonly big: boolean;
    }
  | { readonly do: 'setpoint' | 'cancel' | 'amend' | 'activate'; readonly id: number; readonly value: number }
  | { readonly do: 'opt'; readonly out: boolean; readonly all: boolean }
  | { readonly do: 'offline' | 'online' | 'restart' }
  | { readonly do: 'wait'; readonly s: number };

const id = fc.integer({ min: 0, max: 2 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('request' as const),
    id,
    lead: fc.constantFrom(0, 0, 20),
    askUser: fc.boolean(),
    big: fc.boolean(),
  }),
  fc.record({
    do: fc.constantFrom('setpoint' as const, 'cancel' as const, 'amend' as const, 'activate' as const),
    id,
    value: fc.integer({ min: 0, max: 3 }),
  }),
  fc.record({ do: fc.constant('opt' as const), out: fc.boolean(), all: fc.boolean() }),
  fc.record({ do: fc.constantFrom('offline' as const, 'online' as const, 'restart' as const) }),
  fc.record({ do: fc.constant('wait' as const), s: fc.integer({ min: 1, max: 50 }) }),
);

/** True when the table of fo 6.2 leads from one state to the other, in one or more moves. */
function leadsTo(from: ServiceState, to: ServiceState): boolean {
  if (from === to) return true;
  const events = Object.keys(SERVICE_MOVES[from]) as ServiceEvent[];
  return events.some((e) => {
    const next = nextState(from, e);
    return next !== undefined && leadsTo(next, to);
  });
}

const PATCH = { stackable: ['setpoint' as const, 'congestion' as const] };
const policy = (askUser: boolean) => ({
  optPolicy: { defaultOpt: 'in' as const, optOutAllowed: true, optOutNoticeS: 0, askUser, acceptPartial: false },
});

async function carryOut(w: SiteWorld, s: Step, seq: number): Promise<void> {
  const all = ['V2G-1.1', 'AC-1.1', 'AC-2.1'];
  const now = w.clock.now();
  const fsrId = 'id' in s ? (IDS[s.id] ?? '') : '';
  const window = (fromS: number, toS: number) => ({ start: iso(now + fromS * 1000), end: iso(now + toS * 1000) });
  switch (s.do) {
    case 'request': {
      const patch = {
        fsrId,
        contractId: s.askUser ? 'C-2' : 'C-1',
        window: window(s.lead, s.lead + 60),
        decisionBy: iso(now + 10_000),
      };
      const parameters = { ...(s.big ? { maxW: 90_000 } : {}) };
      await request(w, fsrId === 'L-1' ? congestion(w, patch) : fsr(w, { ...patch, parameters }));
      break;
    }
    case 'setpoint':
      await setpoint(w, fsrId, seq, s.value * 5000);
      break;
    case 'cancel':
      await w.ask('hub/CancelService', { fsrId, reason: 'r', at: iso(now + s.value * 1000) });
      break;
    case 'amend': {
      const known = w.site.snapshot().services.find((x) => x.fsrId === fsrId);
      const start = known?.start ?? iso(now);
      const end = iso(Date.parse(start) + (40 + s.value * 10) * 1000);
      await w.ask('hub/AmendService', { fsrId, revision: (known?.revision ?? 1) + 1, window: { start, end } });
      break;
    }
    case 'activate': {
      const action = ['arm', 'disarm', 'activate', 'deactivate'][s.value];
      await w.ask('hub/ActivateService', { fsrId, action, at: iso(now) });
      break;
    }
    case 'opt':
      await opt(w, s.out ? 'out' : 'in', s.all ? all : ['AC-2.1']);
      break;
    case 'offline':
      for (const resourceId of all) w.say('hub/StationStatus', { resourceId, state: 'offline' });
      break;
    case 'online':
      for (const r of all) w.plug(r);
      break;
    case 'restart':
      await w.reopen();
      break;
    default:
      await w.clock.advance(s.s * 1000);
  }
  await w.clock.advance(10);
}

/** What the FO was told of one service, in order, held against fo 6.2. */
function judge(w: SiteWorld, fsrId: string): void {
  const told = w.notices.filter((n) => Reflect.get(n.payload as object, 'fsrId') === fsrId);
  const decisions = told.filter((n) => n.topic === 'hub/ServiceDecision').map((n) => n.payload as ServiceDecision);
  const revisions = decisions.map((d) => d.revision);
  expect(new Set(revisions).size, `decisions ${revisions}`).toBe(revisions.length);
  const phases = told.filter((n) => n.topic === 'hub/ExecutionNotice').map((n) => (n.payload as ExecutionNotice).phase);
  const states = phases.filter((p) => ['scheduled', 'active', ...FINAL].includes(p));
  expect(new Set(states).size, states.join()).toBe(states.length);
  const last = states.findIndex((p) => FINAL.includes(p));
  if (last >= 0) expect(last).toBe(states.length - 1);
  if (states.includes('scheduled')) expect(states.indexOf('scheduled')).toBe(0);
  if (phases.includes('deviation')) expect(states).toContain('active');
}

describe('services under whatever comes (fo 6.2)', () => {
  it('only make the moves of the table, tell each state once, decide once per revision, and end', async () => {
    let ended = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
        const poc = { ...siteFile().poc, gridNode: 'node:7' };
        const two = contracts(
          { ...SITE_WIDE, ...PATCH, ...policy(false) },
          { ...SITE_WIDE, ...PATCH, ...policy(true) },
        );
        const w = await fleet(quick({ ...two, ...ISSUERS, poc }));
        const states = new Map<string, ServiceState>();
        const look = () => {
          for (const s of w.site.snapshot().services) {
            const before = states.get(s.fsrId);
            const now = s.state as ServiceState;
            if (before) expect(leadsTo(before, now), `${s.fsrId}: ${before} → ${now}`).toBe(true);
            states.set(s.fsrId, now);
          }
        };
        let seq = 0;
        for (const s of steps) {
          await carryOut(w, s, ++seq);
          look();
        }
        await w.clock.advance(200_000);
        look();
        for (const fsrId of IDS) judge(w, fsrId);
        // Nothing runs on or holds capacity once its window is over.
        expect(w.site.snapshot().services.filter((s) => !FINAL.includes(s.state))).toEqual([]);
        ended += states.size;
        await w.close();
      }),
      { numRuns: 25 },
    );
    expect(ended).toBeGreaterThan(15);
  });
});
