import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { manualClock } from '../../core/clock.ts';
import { codeOf, describeError } from '../../core/errors.ts';
import { configHash, portOf, textOf, wordOf } from '../../nodes/base/config.ts';
import { migrate } from '../../nodes/base/migrate.ts';
import { statusOf } from '../../nodes/base/status.ts';
import { following, fromWire, metaOf, toWire } from '../../nodes/base/wire.ts';

const codeThrown = (act: () => unknown): string | undefined => {
  try {
    act();
  } catch (e) {
    return codeOf(e);
  }
  return undefined;
};

describe('migration of saved nodes', () => {
  const steps = [
    (c: Readonly<Record<string, unknown>>) => ({ ...c, host: c.address }),
    ({ address: _old, ...c }: Readonly<Record<string, unknown>>) => ({ ...c, secure: false }),
  ];

  it('a node without version goes through all steps', () => {
    expect(migrate({ address: 'a' }, steps)).toEqual({ host: 'a', secure: false, version: 3 });
  });

  it('a node of a later version goes through the rest only', () => {
    expect(migrate({ address: 'a', host: 'b', version: 2 }, steps)).toEqual({ host: 'b', secure: false, version: 3 });
    expect(migrate({ host: 'b', version: 3 }, steps)).toEqual({ host: 'b', version: 3 });
  });

  it('the saved values stay as they were', () => {
    const saved = Object.freeze({ address: 'a' });
    migrate(saved, steps);
    expect(saved).toEqual({ address: 'a' });
  });

  it('a node of a newer v2gate is refused', () => {
    expect(codeThrown(() => migrate({ version: 4 }, steps))).toBe('nodes.version');
    expect(codeThrown(() => migrate({ version: 'x' }, steps))).toBe('nodes.version');
  });
});

describe('hash of a configuration', () => {
  const config = { id: 'a', type: 't', name: 'n', port: '9220', path: '/ocpp', version: 1 };

  it('a comment, a name or a place has no effect', () => {
    const same = {
      ...config,
      id: 'b',
      name: 'other',
      info: 'a comment',
      x: 1,
      y: 2,
      z: 't',
      g: 'group',
      _alias: 'q',
      wires: [],
    };
    expect(configHash(same)).toBe(configHash(config));
  });

  it('everything else has', () => {
    expect(configHash({ ...config, port: '9221' })).not.toBe(configHash(config));
    expect(configHash(config, ['other site'])).not.toBe(configHash(config));
  });

  it('the order of values has no effect', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer(), fc.boolean())),
        (values) => {
          const reversed = Object.fromEntries(Object.entries(values).reverse());
          expect(configHash(reversed)).toBe(configHash(values));
        },
      ),
    );
  });
});

describe('values of a node', () => {
  it('blank fields count as absent', () => {
    expect(textOf({ a: '  ' }, 'a')).toBeUndefined();
    expect(textOf({ a: ' x ' }, 'a')).toBe('x');
    expect(portOf({ p: '' }, 'p')).toBeUndefined();
    expect(portOf({ p: '0' }, 'p')).toBe(0);
    expect(wordOf({ s: 'native' }, 's', ['hub', 'native'])).toBe('native');
    expect(wordOf({ s: 'klingon' }, 's', ['hub', 'native'])).toBe('hub');
  });

  it('an impossible port is refused', () => {
    for (const p of ['70000', '-1', '1.5', 'x']) expect(codeThrown(() => portOf({ p }, 'p'))).toBe('nodes.config');
  });
});

describe('messages between wires and hub', () => {
  const clock = manualClock();

  it('what a flow left out is filled in', () => {
    const wire = toWire({ topic: 'hub/ServiceTarget', payload: 1 }, clock);
    expect(wire).toMatchObject({
      topic: 'hub/ServiceTarget',
      payload: 1,
      v2gate: { link: 'flow', at: '2026-01-01T00:00:00.000Z' },
    });
    expect(wire.v2gate.id).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('what came with the message stays, foreign things do not enter', () => {
    const v2gate = { id: 'i', at: '2026-01-01T00:00:00.000Z', link: 'ocpp:1', peer: 'CS-1', replyTo: 'r', cause: 'c' };
    expect(metaOf({ v2gate: { ...v2gate, evil: () => 1, peer2: 'x' } }, clock)).toEqual(v2gate);
    expect(metaOf({ v2gate: { id: 5, peer: null } }, clock)).not.toHaveProperty('peer');
  });

  it('what is signed keeps its signature, or an operator would refuse it', () => {
    const signature = { alg: 'EdDSA', keyId: 'k', value: 'AA' };
    expect(metaOf({ v2gate: { id: 'i', signature } }, clock)).toMatchObject({ id: 'i', signature });
    expect(metaOf({ v2gate: { id: 'i', signature: { alg: 'none' } } }, clock)).not.toHaveProperty('signature');
  });

  it.each([undefined, '', 'CommandBatch', 'hub/', 'hub/Command Batch', 7, null])('the topic %s is refused', (topic) => {
    expect(codeThrown(() => toWire({ topic }, clock))).toBe('nodes.message');
  });

  it('what follows from a message names it as its cause', () => {
    const cause = metaOf({}, clock);
    expect(following(cause, clock, 'site')).toMatchObject({ cause: cause.id, link: 'site' });
    expect(following(undefined, clock)).not.toHaveProperty('cause');
    expect(fromWire({ topic: 'hub/X', payload: 1, v2gate: cause }, { _msgid: 'm', other: 2 })).toMatchObject({
      _msgid: 'm',
      other: 2,
      topic: 'hub/X',
    });
  });
});

describe('status', () => {
  it('says it in words and not too many', () => {
    expect(statusOf('good', '3 stations')).toEqual({ fill: 'green', shape: 'dot', text: '3 stations' });
    expect(Array.from(statusOf('bad', 'x'.repeat(500)).text ?? '')).toHaveLength(60);
  });

  it('an unknown thing that was thrown still has words', () => {
    expect(describeError({}).what).not.toBe('');
  });
});
