import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Version } from '../../protocols/ocpp/index.ts';
import { DEFAULT_LIMITS } from '../../protocols/ocpp/index.ts';
import { ALL, BOOTED, bench, boot } from './kit.ts';

const errorCode = (text: string | undefined): unknown[] => {
  const frame: unknown = JSON.parse(text ?? '[]');
  return Array.isArray(frame) ? frame.slice(0, 3) : [];
};

describe.each(ALL)('%s: a CALL of the peer', (version) => {
  it('goes to the handler and its answer back with the same id', () => {
    const b = bench(version);
    b.receive([2, 'x1', 'BootNotification', boot(version)]);
    expect(b.handled()).toEqual([{ id: 'x1', action: 'BootNotification', payload: boot(version), send: false }]);
    b.run(b.session.respond('x1', BOOTED));
    expect(b.written().map((t) => JSON.parse(t))).toEqual([[3, 'x1', BOOTED]]);
    expect(b.reports()).toEqual([]);
  });

  it('with null as payload counts as empty', () => {
    const b = bench(version);
    b.receive('[2,"x1","Heartbeat",null]');
    expect(b.handled()).toMatchObject([{ action: 'Heartbeat', payload: {} }]);
  });

  it('is refused when the action is unknown, of the other direction, or named like a member of every object', () => {
    const b = bench(version);
    b.receive([2, 'x1', 'Teleport', {}]);
    b.receive([2, 'x2', 'Reset', { type: 'Soft' }]);
    b.receive([2, 'x3', '__proto__', {}]);
    expect(b.written().map(errorCode)).toEqual([
      [4, 'x1', 'NotImplemented'],
      [4, 'x2', 'NotSupported'],
      [4, 'x3', 'NotImplemented'],
    ]);
    expect(b.handled()).toEqual([]);
  });

  it('that breaks the schema is refused in the spelling of the version', () => {
    const b = bench(version);
    b.receive([2, 'x1', 'BootNotification', {}]);
    b.receive([2, 'x2', 'BootNotification', { ...boot(version), surplus: 1 }]);
    b.receive([2, 'x3', 'BootNotification', 7]);
    const occurrence = version === 'ocpp1.6' ? 'OccurenceConstraintViolation' : 'OccurrenceConstraintViolation';
    const written = b.written();
    expect(written.map(errorCode)).toEqual([
      [4, 'x1', occurrence],
      [4, 'x2', occurrence],
      [4, 'x3', 'TypeConstraintViolation'],
    ]);
    expect(written[1]).toContain('/surplus is not a field of this message');
  });

  it('whose handler fails gets a CALLERROR', () => {
    const b = bench(version);
    b.receive([2, 'x1', 'Heartbeat', {}]);
    b.run(b.session.fail('x1', 'FormatViolation', 'no'));
    expect(b.written().map(errorCode)).toEqual([
      [4, 'x1', version === 'ocpp1.6' ? 'FormationViolation' : 'FormatViolation'],
    ]);
  });

  it('whose handler takes too long gets InternalError, and its late answer is dropped', async () => {
    const b = bench(version);
    b.receive([2, 'x1', 'Heartbeat', {}]);
    expect(b.session.deadline).toBe(b.clock.now() + DEFAULT_LIMITS.handlerMs);
    await b.clock.advance(DEFAULT_LIMITS.handlerMs);
    b.run(b.session.tick());
    b.run(b.session.respond('x1', { currentTime: 'late' }));
    expect(b.written().map(errorCode)).toEqual([[4, 'x1', 'InternalError']]);
    expect(b.reports().map((r) => r.what)).toEqual(['handlerTimeout', 'lateHandler']);
    expect(b.session.deadline).toBe(Number.POSITIVE_INFINITY);
  });

  it('that is repeated gets the same answer without a second side effect', () => {
    const b = bench(version);
    const frame = [2, 'x1', 'BootNotification', boot(version)];
    b.receive(frame);
    b.receive(frame);
    b.run(b.session.respond('x1', BOOTED));
    b.receive(frame);
    expect(b.handled()).toHaveLength(1);
    expect(b.written()).toHaveLength(2);
    expect(b.reports().map((r) => r.what)).toEqual(['duplicateCall', 'duplicateCall']);
  });

  it('with an id used before but other content is a new call', () => {
    const b = bench(version);
    b.receive([2, 'x1', 'BootNotification', boot(version)]);
    b.run(b.session.respond('x1', BOOTED));
    b.receive([2, 'x1', 'SecurityEventNotification', { type: 'Reset', timestamp: BOOTED.currentTime }]);
    expect(b.handled()).toHaveLength(2);
  });

  it('that wants a new time or carries its own is handed out again when repeated', () => {
    const b = bench(version);
    for (const time of ['2026-01-01T00:00:01Z', '2026-01-01T00:00:02Z']) {
      b.receive([2, 'same', 'Heartbeat', {}]);
      b.run(b.session.respond('same', { currentTime: time }));
    }
    expect(b.handled()).toHaveLength(2);
    expect(b.written()[1]).toContain('00:00:02Z');
  });

  it('is answered from a bounded memory: the oldest answers are forgotten', () => {
    const b = bench(version, 'csms', { answersKept: 2 });
    for (const id of ['a', 'b', 'c']) {
      b.receive([2, id, 'BootNotification', boot(version)]);
      b.run(b.session.respond(id, BOOTED));
    }
    b.receive([2, 'a', 'BootNotification', boot(version)]);
    b.receive([2, 'c', 'BootNotification', boot(version)]);
    expect(b.handled().map((h) => h.id)).toEqual(['a', 'b', 'c', 'a']);
  });

  it('may come in numbers, up to a bound', () => {
    const b = bench(version, 'csms', { maxOpenInbound: 2 });
    for (const id of ['a', 'b', 'c']) b.receive([2, id, 'Heartbeat', {}]);
    expect(b.handled().map((h) => h.id)).toEqual(['a', 'b']);
    expect(b.written().map(errorCode)).toEqual([[4, 'c', 'GenericError']]);
  });

  it('is not answered with a payload that breaks the schema or JSON', () => {
    const b = bench(version);
    const circular: Record<string, unknown> = { currentTime: BOOTED.currentTime, interval: 1, status: 'Accepted' };
    circular.customData = { vendorId: 'v', circular };
    b.receive([2, 'x1', 'BootNotification', boot(version)]);
    b.run(b.session.respond('x1', { status: 'Accepted' }));
    b.receive([2, 'x2', 'BootNotification', boot(version)]);
    b.run(b.session.respond('x2', circular));
    expect(b.written().map(errorCode)).toEqual([
      [4, 'x1', 'InternalError'],
      [4, 'x2', 'InternalError'],
    ]);
    expect(b.reports().map((r) => r.what)).toEqual(['invalidOwnAnswer', 'invalidOwnAnswer']);
  });
});

describe.each(ALL)('%s: a CALL of ours', (version) => {
  it('is the only open one; the next follows the answer', () => {
    const b = bench(version);
    b.call('first', 'ClearCache', {});
    b.call('second', 'ClearCache', {});
    expect(b.written()).toEqual(['[2,"id-1","ClearCache",{}]']);
    b.receive([3, 'id-1', { status: 'Accepted' }]);
    expect(b.written()).toEqual(['[2,"id-2","ClearCache",{}]']);
    b.receive([4, 'id-2', 'NotSupported', 'no', {}]);
    expect(b.endings).toEqual({ first: [{ answer: { status: 'Accepted' } }], second: [{ code: 'ocpp.notSupported' }] });
    expect(b.session.idle).toBe(true);
  });

  it('does not keep us from answering, and the other way round', () => {
    const b = bench(version);
    b.call('ours', 'ClearCache', {});
    b.receive([2, 'x1', 'Heartbeat', {}]);
    b.run(b.session.respond('x1', { currentTime: BOOTED.currentTime }));
    b.receive([3, 'id-1', { status: 'Accepted' }]);
    expect(b.endings).toEqual({ ours: [{ answer: { status: 'Accepted' } }] });
    expect(b.written()).toHaveLength(2);
  });

  it('times out after 10 s; its late answer is dropped and reported', async () => {
    const b = bench(version);
    b.call('first', 'ClearCache', {});
    b.call('second', 'ClearCache', {});
    await b.clock.advance(9_999);
    b.run(b.session.tick());
    expect(b.endings.first).toEqual([]);
    await b.clock.advance(1);
    b.run(b.session.tick());
    expect(b.endings.first).toEqual([{ code: 'ocpp.timeout' }]);
    b.receive([3, 'id-1', { status: 'Accepted' }]);
    b.receive([3, 'id-1', { status: 'Accepted' }]);
    b.receive([3, 'id-2', { status: 'Rejected' }]);
    expect(b.reports().map((r) => r.what)).toEqual(['lateAnswer', 'unknownAnswer']);
    expect(b.endings.second).toEqual([{ answer: { status: 'Rejected' } }]);
  });

  it('has the time-out of its urgency or its own', () => {
    const b = bench(version, 'csms', { timeouts: { stop: 3000 } });
    b.call('a', 'ClearCache', {}, { priority: 'stop' });
    expect(b.session.deadline).toBe(b.clock.now() + 3000);
    b.receive([3, 'id-1', { status: 'Accepted' }]);
    b.call('b', 'ClearCache', {}, { priority: 'stop', timeoutMs: 500 });
    expect(b.session.deadline).toBe(b.clock.now() + 500);
  });

  it('that breaks the schema, the direction or JSON is not sent', () => {
    const b = bench(version);
    b.call('schema', 'Reset', { type: 'Gently' });
    b.call('direction', 'Heartbeat', {});
    b.call('unknown', 'Teleport', {});
    b.call('json', 'ClearCache', { toJSON: () => 1n }, { validated: true });
    expect(b.written()).toEqual([]);
    expect(b.endings).toEqual({
      schema: [{ code: 'ocpp.invalidRequest' }],
      direction: [{ code: 'ocpp.invalidRequest' }],
      unknown: [{ code: 'ocpp.notImplemented' }],
      json: [{ code: 'ocpp.invalidRequest' }],
    });
  });

  it('keeps the content it had when it was queued', () => {
    const b = bench(version);
    const payload = version === 'ocpp1.6' ? { type: 'Soft' } : { type: 'OnIdle' };
    b.call('first', 'ClearCache', {});
    b.call('second', 'Reset', payload);
    payload.type = 'changed';
    b.receive([3, 'id-1', { status: 'Accepted' }]);
    expect(b.written()[1]).not.toContain('changed');
  });

  it('that waits past its expiry is not sent', async () => {
    const b = bench(version);
    b.call('first', 'ClearCache', {});
    b.call('stale', 'ClearCache', {}, { expiresAt: b.clock.now() + 1000 });
    b.call('third', 'ClearCache', {});
    await b.clock.advance(1000);
    b.receive([3, 'id-1', { status: 'Accepted' }]);
    expect(b.endings.stale).toEqual([{ code: 'ocpp.expired' }]);
    expect(b.written()[1]).toContain('"id-3"');
  });

  it('is refused with ocpp.queueFull beyond the bound', () => {
    const b = bench(version, 'csms', { maxQueue: 2 });
    for (const name of ['open', 'q1', 'q2', 'q3']) b.call(name, 'ClearCache', {});
    b.call('urgent', 'ClearCache', {}, { priority: 'stop' });
    expect(b.endings).toEqual({
      open: [],
      q1: [],
      q2: [{ code: 'ocpp.queueFull' }],
      q3: [{ code: 'ocpp.queueFull' }],
      urgent: [],
    });
    expect(b.reports().map((r) => r.what)).toEqual(['queueFull', 'queueFull']);
  });

  it('ends with the reason when the connection ends, queued or open, and later ones at once', () => {
    const b = bench(version);
    b.call('open', 'ClearCache', {});
    b.call('queued', 'ClearCache', {});
    b.run(b.session.close('ocpp.replaced'));
    b.run(b.session.close('ocpp.closed'));
    b.call('after', 'ClearCache', {});
    b.receive([3, 'id-1', { status: 'Accepted' }]);
    const replaced = [{ code: 'ocpp.replaced' }];
    expect(b.endings).toEqual({ open: replaced, queued: replaced, after: replaced });
  });

  it('with an answer that breaks the schema ends as ocpp.invalidAnswer; only 2.1 says so to the peer', () => {
    const b = bench(version);
    b.call('ours', 'ClearCache', {});
    b.receive([3, 'id-1', { status: 'Perhaps' }]);
    expect(b.endings.ours).toEqual([{ code: 'ocpp.invalidAnswer' }]);
    const frames = b.written().slice(1).map(errorCode);
    expect(frames).toEqual(version === 'ocpp2.1' ? [[5, 'id-1', 'PropertyConstraintViolation']] : []);
  });

  it('takes any code in the answer, in all spellings', () => {
    const b = bench(version);
    const codes: readonly [string, string][] = [
      ['FormationViolation', 'ocpp.format'],
      ['FormatViolation', 'ocpp.format'],
      ['OccurenceConstraintViolation', 'ocpp.occurrence'],
      ['OccurrenceConstraintViolation', 'ocpp.occurrence'],
      ['toString', 'ocpp.generic'],
      ['', 'ocpp.generic'],
    ];
    codes.forEach(([code, expected], i) => {
      b.call(`c${i}`, 'ClearCache', {});
      b.receive([4, `id-${i + 1}`, code, '', {}]);
      expect(b.endings[`c${i}`]).toEqual([{ code: expected }]);
    });
  });
});

describe('frames beside CALL and its answers', () => {
  const stream = { id: 1, pending: 0, basetime: BOOTED.currentTime, data: [{ t: 0, v: '1' }] };

  it('2.1: a SEND reaches the handler and is never answered, right or wrong', () => {
    const b = bench('ocpp2.1');
    b.receive([6, 's1', 'NotifyPeriodicEventStream', stream]);
    b.receive([6, 's2', 'NotifyPeriodicEventStream', {}]);
    b.receive([6, 's3', 'Teleport', {}]);
    b.receive([6, 's4']);
    expect(b.handled()).toMatchObject([{ id: 's1', send: true }]);
    expect(b.written()).toEqual([]);
    expect(b.reports().map((r) => r.what)).toEqual(['badSend', 'badSend', 'badFrame']);
  });

  it('2.1: a SEND of ours passes an open call', () => {
    const b = bench('ocpp2.1', 'cs');
    b.call('open', 'Heartbeat', {});
    b.run(b.session.send('NotifyPeriodicEventStream', stream, () => undefined));
    expect(b.written()[1]).toMatch(/^\[6,"id-2","NotifyPeriodicEventStream",/);
  });

  it('2.1: NotifyPeriodicEventStream as a CALL is not implemented', () => {
    const b = bench('ocpp2.1');
    b.receive([2, 's1', 'NotifyPeriodicEventStream', stream]);
    expect(b.written().map(errorCode)).toEqual([[4, 's1', 'NotImplemented']]);
  });

  it.each(['ocpp1.6', 'ocpp2.0.1'] as const)('%s has no SEND: ours fails, theirs is ignored', (version) => {
    const b = bench(version);
    const codes: string[] = [];
    b.run(b.session.send('NotifyPeriodicEventStream', stream, (e) => codes.push(e?.code ?? '')));
    b.receive([6, 's1', 'NotifyPeriodicEventStream', stream]);
    b.receive([5, 's1', 'GenericError', '', {}]);
    expect(codes).toEqual(['ocpp.noSend']);
    expect(b.written()).toEqual([]);
    expect(b.reports().map((r) => r.what)).toEqual(['unknownType', 'unknownType']);
  });

  it.each<[Version, unknown[]]>([
    ['ocpp1.6', []],
    ['ocpp2.0.1', [[4, 'x', 'MessageTypeNotSupported']]],
    ['ocpp2.1', [[4, 'x', 'MessageTypeNotSupported']]],
  ])('%s: an unknown message type → %j', (version, expected) => {
    const b = bench(version);
    b.receive([7, 'x', {}]);
    expect(b.written().map(errorCode)).toEqual(expected);
  });

  it.each<[Version, string]>([
    ['ocpp1.6', 'FormationViolation'],
    ['ocpp2.0.1', 'RpcFrameworkError'],
    ['ocpp2.1', 'RpcFrameworkError'],
  ])('%s: an unreadable frame is answered with id -1 and %s, without its content', (version, code) => {
    const b = bench(version);
    b.receive('{"secret"');
    const [text] = b.written();
    expect(errorCode(text)).toEqual([4, '-1', code]);
    expect(text).not.toContain('secret');
  });

  it('an oversized frame is answered under its id and not parsed', () => {
    const b = bench('ocpp1.6', 'csms', { maxFrame: 100 });
    b.receive([2, 'big', 'DataTransfer', { vendorId: 'x'.repeat(100) }]);
    expect(b.written().map(errorCode)).toEqual([[4, 'big', 'GenericError']]);
    b.receive([2, 'ok', 'Heartbeat', {}]);
    expect(b.handled()).toHaveLength(1);
  });

  it.each<[Version, unknown[]]>([
    ['ocpp1.6', [4, 'd', 'TypeConstraintViolation']],
    ['ocpp2.0.1', [4, 'd', 'GenericError']],
    ['ocpp2.1', [4, 'd', 'GenericError']],
  ])('%s: too deep a payload is refused', (version, expected) => {
    const b = bench(version);
    const deep = `${'{"a":['.repeat(30_000)}${']}'.repeat(30_000)}`;
    b.receive(`[2,"d","DataTransfer",{"vendorId":"v","data":${deep}}]`);
    expect(b.written().map(errorCode)).toEqual([expected]);
    expect(b.handled()).toEqual([]);
  });

  it('answers are never answered, however broken', () => {
    for (const version of ALL) {
      const b = bench(version);
      for (const type of [4, 5, 6])
        for (const rest of [[], [7], ['x'], ['x', 5, 5, 5, 5, 5]]) b.receive([type, ...rest]);
      b.receive([3]);
      b.receive([3, 'stray', {}]);
      expect(b.written()).toEqual([]);
    }
  });

  it('a peer that only talks nonsense loses its connection', () => {
    const b = bench('ocpp2.1', 'csms', { maxUnreadable: 3 });
    b.receive('?');
    b.receive('?');
    b.receive([2, 'x', 'Heartbeat', {}]);
    b.receive('?');
    b.receive('?');
    expect(b.closes()).toEqual([]);
    b.receive('?');
    expect(b.closes()).toEqual([1002]);
  });

  it('nothing received makes a session throw, and at most one frame is written per frame received', () => {
    const payload = fc.oneof(
      fc.jsonValue(),
      fc.constant(boot('ocpp2.1')),
      fc.constant(boot('ocpp1.6')),
      fc.constant({ connectorId: 1, meterValue: [{ sampledValue: [{ value: null }] }] }),
    );
    const action = fc.oneof(
      fc.string(),
      fc.constantFrom('Heartbeat', 'BootNotification', 'MeterValues', 'StatusNotification'),
    );
    const frame = fc.oneof(
      fc.tuple(fc.constantFrom(2, 6), fc.string(), action, payload),
      fc.tuple(fc.constantFrom(3), fc.constantFrom('id-1', 'id-2', 'x'), payload),
      fc.tuple(fc.constantFrom(4, 5), fc.constantFrom('id-1', '-1', 'x'), fc.string(), fc.string(), payload),
      fc.array(fc.jsonValue()),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(fc.constantFrom(...ALL), fc.array(frame, { maxLength: 12 }), (version, frames) => {
        const b = bench(version);
        b.call('one', 'ClearCache', {});
        b.call('two', 'ClearCache', {});
        b.written();
        for (const f of frames) {
          b.receive(f);
          const next = b.written().filter((t) => !t.startsWith('[2,"id-2"'));
          expect(next.length).toBeLessThanOrEqual(1);
          for (const t of next) expect([3, 4, 5]).toContain(JSON.parse(t)[0]);
        }
      }),
      { numRuns: 300 },
    );
  });
});
