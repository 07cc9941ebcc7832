import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../../core/errors.ts';
import { FO_CATALOGUE } from '../../protocols/fo/index.ts';
import { DEMO_SCENARIO } from '../../simulators/fo/demo-scenario.ts';
import { Scenario, targetAt } from '../../simulators/fo/scenario-file.ts';
import { message, player } from './player.ts';

const short = (over: Partial<Scenario['services'][number]> = {}): Scenario => ({
  services: [
    {
      type: 'setpoint',
      durationS: 60,
      minW: -9000,
      maxW: 9000,
      steps: [
        { atS: 0, targetW: 5000 },
        { atS: 30, targetW: -5000 },
      ],
      ...over,
    },
  ],
  pauseS: 10,
});

describe('the demo scenario', () => {
  it('is a valid scenario file', () => {
    expect(Scenario.check(DEMO_SCENARIO)).toEqual([]);
    expect(Scenario.check(Scenario.example)).toEqual([]);
  });

  it('asks for three minutes of setpoints, starting now', () => {
    const p = player();
    p.take({ kind: 'up' });
    const [asked] = p.requests('RequestService');
    expect(asked?.body).toMatchObject({
      fsr: {
        fsrId: 'sim-1',
        contractId: 'C-9',
        target: { groupId: 'g:depot', referencePoint: 'group' },
        window: { start: '2026-03-02T17:00:00.000Z', end: '2026-03-02T17:03:00.000Z' },
        decisionBy: '2026-03-02T17:00:05.000Z',
      },
    });
  });

  it('crosses zero after 14 s and after 40 s, ends charging, and asks for the next service', () => {
    const p = player();
    p.take({ kind: 'up' });
    p.to(1);
    p.accept();
    p.to(195);
    const sign = p.setpoints().map((x) => [x.atS, Math.sign(x.targetW)]);
    const within = (from: number, to: number) =>
      new Set(sign.filter(([at]) => (at ?? 0) >= from && (at ?? 0) < to).map(([, s]) => s));
    expect([within(0, 14), within(14, 40), within(40, 115)]).toEqual([new Set([-1]), new Set([1]), new Set([-1])]);
    expect(sign.filter(([at]) => (at ?? 0) >= 115).every(([, s]) => s === 1)).toBe(true);
    expect(p.requests('SubscribeTelemetry')[0]?.body).toMatchObject({ intervalS: 1, subject: { groupId: 'g:depot' } });
    p.take({
      kind: 'message',
      message: message('ExecutionNotice', { fsrId: 'sim-1', phase: 'completed', at: '2026-03-02T17:03:00Z' }),
    });
    p.to(220);
    expect(p.requests('RequestService').map((r) => r.fsrId)).toEqual(['sim-1', 'sim-2']);
  });

  it('cancels, once, a service that an earlier run left behind', () => {
    const p = player();
    p.take({ kind: 'up' });
    const orphan = message('ExecutionNotice', { fsrId: 'old-7', phase: 'fallback', at: '2026-03-02T17:00:30Z' });
    p.take({ kind: 'message', message: orphan });
    p.take({ kind: 'message', message: orphan });
    expect(p.requests('CancelService').map((r) => r.fsrId)).toEqual(['old-7']);
  });

  it('sends only valid messages', () => {
    const p = player();
    p.take({ kind: 'up' });
    p.accept();
    p.to(600);
    for (const { action } of p.log) {
      if (action.do === 'request') expect(FO_CATALOGUE[action.type].message.check(action.body)).toEqual([]);
    }
  });
});

describe('setpoints', () => {
  it('are repeated at the interval and sent at once at each step, while they are valid for longer', () => {
    const p = player(
      short({
        steps: [
          { atS: 0, targetW: 1 },
          { atS: 10, targetW: 2 },
        ],
        updateIntervalS: 4,
        validityS: 9,
      }),
    );
    p.take({ kind: 'up' });
    p.accept();
    p.to(20);
    expect(p.setpoints().map((x) => [x.atS, x.seq, x.targetW])).toEqual([
      [0, 1, 1],
      [4, 2, 1],
      [8, 3, 1],
      [10, 4, 2],
      [14, 5, 2],
      [18, 6, 2],
    ]);
    expect(p.setpoints()[1]?.validUntil).toBe('2026-03-02T17:00:13.000Z');
    expect(p.told('setpoint').map((x) => x.atS)).toEqual([0, 10]);
  });

  it('wait for the decision and for the start of the window', () => {
    const p = player(short({ startInS: 20 }));
    p.take({ kind: 'up' });
    p.to(3);
    p.accept();
    p.to(19);
    expect(p.setpoints()).toEqual([]);
    p.to(20);
    expect(p.setpoints()).toHaveLength(1);
  });

  it('pause while the link is down and go on with the present target', () => {
    const p = player(short());
    p.take({ kind: 'up' });
    p.accept();
    p.to(10);
    p.take({ kind: 'down' });
    p.to(35);
    const before = p.setpoints().length;
    p.take({ kind: 'up' });
    expect(
      p
        .setpoints()
        .slice(before)
        .map((x) => [x.atS, x.targetW]),
    ).toEqual([[35, -5000]]);
    expect(p.requests('SubscribeTelemetry')).toHaveLength(2);
  });

  it('three times refused mean that the gateway does not know the service: it is cancelled', () => {
    const p = player(short());
    p.take({ kind: 'up' });
    p.accept();
    const refuse = () =>
      p.take({ kind: 'result', of: 'UpdateSetpoint', fsrId: 'sim-1', result: { status: 'error', code: 'id.unknown' } });
    refuse();
    refuse();
    p.take({
      kind: 'result',
      of: 'UpdateSetpoint',
      fsrId: 'sim-1',
      result: { status: 'ok', code: 'limit.clipped', data: { appliedW: 7, limitedBy: 'poc' } },
    });
    expect(p.told('applied')[0]).toMatchObject({ appliedW: 7, limitedBy: 'poc', code: 'limit.clipped' });
    refuse();
    refuse();
    expect(p.requests('CancelService')).toEqual([]);
    refuse();
    expect(p.requests('CancelService')).toHaveLength(1);
    expect(p.told('over')[0]).toMatchObject({ why: 'setpointsRefused' });
  });

  it('follow the steps of any scenario, inside the window, with rising seq', () => {
    const steps = fc.uniqueArray(fc.integer({ min: 0, max: 59 }), { minLength: 1, maxLength: 10 }).chain((ats) => {
      const sorted = ats.sort((a, b) => a - b);
      return fc.tuple(
        ...sorted.map((atS) => fc.record({ atS: fc.constant(atS), targetW: fc.integer({ min: -9000, max: 9000 }) })),
      );
    });
    fc.assert(
      fc.property(
        steps,
        fc.integer({ min: 1, max: 29 }),
        fc.integer({ min: 0, max: 9 }),
        (list, updateIntervalS, decidedS) => {
          const scenario = short({ steps: list, updateIntervalS, validityS: 30 });
          expect(Scenario.check(scenario)).toEqual([]);
          const p = player(scenario);
          p.take({ kind: 'up' });
          p.to(decidedS);
          p.accept();
          p.to(65);
          const sent = p.setpoints();
          expect(sent.map((x) => x.seq)).toEqual(sent.map((_, i) => i + 1));
          for (const x of sent) {
            expect(x.atS).toBeGreaterThanOrEqual(decidedS);
            expect(x.atS).toBeLessThan(60);
            expect(x.targetW).toBe(targetAt(scenario.services[0] ?? (Scenario.example.services[0] as never), x.atS));
          }
          for (const s of list)
            if (s.atS >= decidedS) expect(sent.some((x) => x.atS === s.atS && x.targetW === s.targetW)).toBe(true);
        },
      ),
    );
  });
});

describe('services', () => {
  it('that are refused at once are followed by the next after a pause', () => {
    const p = player({ ...short(), pauseS: 0 });
    p.take({ kind: 'up' });
    p.take({
      kind: 'result',
      of: 'RequestService',
      fsrId: 'sim-1',
      result: { status: 'rejected', code: 'contract.inactive' },
    });
    expect(p.told('refused')[0]).toMatchObject({ of: 'RequestService', code: 'contract.inactive' });
    p.to(4.9);
    expect(p.requests('RequestService')).toHaveLength(1);
    p.to(5);
    expect(p.requests('RequestService')).toHaveLength(2);
  });

  it.each(['rejected', 'optedOut'] as const)('that are %s get no setpoints', (decision) => {
    const p = player(short());
    p.take({ kind: 'up' });
    p.accept(decision);
    p.to(9);
    expect(p.setpoints()).toEqual([]);
    expect(p.told('over')[0]).toMatchObject({ why: decision });
  });

  it('that are partly accepted are used', () => {
    const p = player(short());
    p.take({ kind: 'up' });
    p.accept('partial');
    expect(p.setpoints()).toHaveLength(1);
  });

  it('nobody decides on are taken back 5 s after decisionBy', () => {
    const p = player(short());
    p.take({ kind: 'up' });
    p.to(9.9);
    expect(p.requests('CancelService')).toEqual([]);
    p.to(10);
    expect(p.requests('CancelService')).toHaveLength(1);
    expect(p.told('over')[0]).toMatchObject({ why: 'noDecision' });
  });

  it('are cancelled where the scenario says so', () => {
    const p = player(short({ cancelAtS: 12 }));
    p.take({ kind: 'up' });
    p.accept();
    p.to(30);
    expect(p.requests('CancelService').map((r) => r.atS)).toEqual([12]);
    expect(p.setpoints().at(-1)?.atS).toBe(8);
  });

  it('that do not report their end are over after 10 s', () => {
    const p = player(short());
    p.take({ kind: 'up' });
    p.accept();
    p.to(69.9);
    expect(p.told('ended').map((x) => x.atS)).toEqual([60]);
    expect(p.told('over')).toEqual([]);
    p.to(70);
    expect(p.told('over')[0]).toMatchObject({ why: 'endNotReported' });
  });

  it('cancelled by the gateway are over, and its message is answered', () => {
    const p = player(short());
    p.take({ kind: 'up' });
    p.accept();
    p.take({
      kind: 'message',
      message: message('CancelService', { fsrId: 'sim-1', reason: 'fault', at: '2026-03-02T17:00:00Z' }),
    });
    expect(p.log.filter((x) => x.action.do === 'answer').at(-1)?.action).toMatchObject({
      replyTo: 'cso:harbour/CancelService',
      result: { status: 'ok' },
    });
    expect(p.told('over')[0]).toMatchObject({ why: 'cancelledByGateway' });
  });

  it('of an earlier run do not disturb the present one', () => {
    const p = player(short());
    p.take({ kind: 'up' });
    p.accept();
    p.take({
      kind: 'message',
      message: message('ExecutionNotice', { fsrId: 'other', phase: 'failed', at: '2026-03-02T17:00:00Z' }),
    });
    expect(p.state.running?.fsrId).toBe('sim-1');
  });

  it('end after the last one unless they repeat', () => {
    const p = player({ ...short(), repeat: false });
    p.take({ kind: 'up' });
    p.accept();
    p.to(600);
    expect(p.requests('RequestService')).toHaveLength(1);
    expect(p.told('done')).toHaveLength(1);
    expect(p.wakeAt).toBeUndefined();
  });

  it('tell what is measured', () => {
    const p = player(short());
    const samples = [
      { fsrId: 'sim-1', groupId: 'g:depot', at: '2026-03-02T17:00:01Z', powerW: 900, setpointW: 1000, quality: 'good' },
    ];
    p.take({ kind: 'message', message: message('Telemetry', { samples }) });
    expect(p.told('measured')[0]).toMatchObject({ fsrId: 'sim-1', powerW: 900, setpointW: 1000, subject: 'g:depot' });
  });

  it('are the same for the same inputs', () => {
    const run = () => {
      const p = player();
      p.take({ kind: 'up' });
      p.accept();
      p.to(300);
      return JSON.stringify(p.log);
    };
    expect(run()).toBe(run());
  });
});

describe('a scenario file', () => {
  const bad = (over: object): unknown => ({ ...short(), services: [{ ...short().services[0], ...over }] });

  it.each([
    [{ type: 'droop' }, '/services/0/type', 'schema.invalid'],
    [{ durationS: 0 }, '/services/0/durationS', 'schema.invalid'],
    [{ steps: [] }, '/services/0/steps', 'schema.invalid'],
    [{ stepz: 1 }, '/services/0/stepz', 'schema.invalid'],
    [{ minW: 9001 }, '/services/0/minW', 'schema.semantic'],
    [{ target: {} }, '/services/0/target', 'schema.semantic'],
    [{ cancelAtS: 60 }, '/services/0/cancelAtS', 'schema.semantic'],
    [{ updateIntervalS: 40 }, '/services/0/validityS', 'schema.semantic'],
    [
      {
        steps: [
          { atS: 5, targetW: 0 },
          { atS: 5, targetW: 1 },
        ],
      },
      '/services/0/steps/1/atS',
      'schema.semantic',
    ],
    [{ steps: [{ atS: 60, targetW: 0 }] }, '/services/0/steps/0/atS', 'schema.semantic'],
    [{ steps: [{ atS: 0, targetW: 9001 }] }, '/services/0/steps/0/targetW', 'schema.semantic'],
  ])('with %j is refused at the right place', (over, path, code) => {
    const issues = Scenario.check(bad(over));
    expect(issues.map((i) => i.path)).toContain(path);
    try {
      Scenario.parse(bad(over));
      expect.unreachable();
    } catch (e) {
      expect(codeOf(e)).toBe(code);
    }
  });
});
