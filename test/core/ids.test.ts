import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { manualClock } from '../../core/clock.ts';
import { idSource, isId, toId, UUID_PATTERN, uuids, uuidv7 } from '../../core/ids.ts';

const UUID = new RegExp(UUID_PATTERN);

describe('uuidv7', () => {
  it('carries time, version and variant where RFC 9562 puts them (appendix A.6)', () => {
    const clock = manualClock(0x017f22e279b0);
    const random = Uint8Array.from([0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f]);
    expect(uuidv7(clock, () => random)).toBe('017f22e2-79b0-7cc3-98c4-dc0c0c07398f');
  });

  it('is a UUID for any time and randomness', () => {
    fc.assert(
      fc.property(fc.nat(4e12), fc.uint8Array({ minLength: 10, maxLength: 10 }), (at, random) => {
        const id = uuidv7(manualClock(at), () => random);
        expect(id).toMatch(UUID);
        expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(at);
      }),
    );
  });

  it('differs from call to call', () => {
    const clock = manualClock();
    expect(new Set(Array.from({ length: 1000 }, () => uuidv7(clock))).size).toBe(1000);
  });

  it('says so when the source of randomness gives too little', () => {
    expect(() => uuidv7(manualClock(), () => new Uint8Array(3))).toThrow(/10 random bytes/);
  });
});

describe('idSource', () => {
  it('strictly increases within a millisecond, across them, and when the clock is set back', async () => {
    const clock = manualClock();
    const next = idSource(clock);
    const ids: string[] = [];
    for (let i = 0; i < 300; i++) ids.push(next());
    await clock.advance(1);
    ids.push(next());
    clock.set(clock.now() - 60_000);
    for (let i = 0; i < 300; i++) ids.push(next());
    expect(ids).toEqual([...ids].sort());
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(UUID);
  });

  it('keeps head room and carries over into the next byte and group', () => {
    const full = Uint8Array.from([0x0f, 0xff, 0x3f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe]);
    const next = idSource(manualClock(0), () => full);
    expect(next()).toBe('00000000-0000-77ff-bfff-fffffffffffe');
    expect(next()).toBe('00000000-0000-77ff-bfff-ffffffffffff');
    expect(next()).toBe('00000000-0000-7800-8000-000000000000');
  });
});

describe('ids for many messages', () => {
  it('are UUIDs v7 of their time, all of them different', async () => {
    const clock = manualClock(0x0123_4567_89ab);
    const next = uuids(clock);
    const ids = Array.from({ length: 1000 }, next);
    await clock.advance(1);
    ids.push(next());
    expect(new Set(ids).size).toBe(1001);
    for (const id of ids) expect(id).toMatch(UUID);
    expect(ids[0]?.slice(0, 15)).toBe('01234567-89ab-7');
    expect(ids.at(-1)?.slice(0, 15)).toBe('01234567-89ac-7');
  });
});

describe('ids', () => {
  it.each(['a', 'fo:north', 'N-4711', 'g:depot', 'A.b_c', 'x'.repeat(64)])('%s is one', (s) => {
    expect(isId(s)).toBe(true);
  });

  it.each(['', 'x'.repeat(65), 'a b', 'a/b', 'ä', 'a\n', 'a#'])('%j is none', (s) => {
    expect(isId(s)).toBe(false);
  });

  it('can be made of any text, and of an id by leaving it alone', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 100 }).map((c) => String.fromCharCode(...c)),
        (s) => {
          const id = toId(s);
          expect(isId(id)).toBe(true);
          expect(toId(id)).toBe(id);
          if (isId(s)) expect(id).toBe(s);
        },
      ),
    );
    expect(toId('DE*ABC*E123')).toBe('DE_ABC_E123');
    expect(toId('')).toBe('_');
  });
});
