import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Priority } from '../../protocols/ocpp/index.ts';
import type { Bench } from './kit.ts';
import { bench } from './kit.ts';

/**
 * A peer and a user that do anything in any order. The model knows only what must hold:
 * at most one CALL on the wire is unanswered; every call ends exactly once; an answer ends the call it belongs to.
 */
interface Model {
  readonly names: string[];
  /** Ids on the wire in order, the last one open or ended. */
  openId: string | undefined;
  closed: boolean;
}

interface Real {
  readonly b: Bench;
}

const LIMITS = { maxQueue: 4, timeoutMs: 1000 };

/** Takes what was written and holds the one rule of the wire. */
function look(m: Model, r: Real): void {
  for (const text of r.b.written()) {
    const frame: unknown = JSON.parse(text);
    if (!Array.isArray(frame) || frame[0] !== 2) continue;
    expect(m.openId, 'a second CALL while one is open').toBeUndefined();
    m.openId = String(frame[1]);
  }
  for (const name of m.names) expect(r.b.endings[name]?.length ?? 0).toBeLessThanOrEqual(1);
}

const ended = (m: Model, r: Real): number => m.names.filter((n) => r.b.endings[n]?.length === 1).length;

class Call implements fc.AsyncCommand<Model, Real> {
  readonly #o: { priority: Priority; key: string | undefined; expires: number | undefined };

  constructor(o: { priority: Priority; key: string | undefined; expires: number | undefined }) {
    this.#o = o;
  }

  check(): boolean {
    return true;
  }

  async run(m: Model, r: Real): Promise<void> {
    const name = `call${m.names.length}`;
    const { priority, key, expires } = this.#o;
    m.names.push(name);
    r.b.call(
      name,
      'ClearCache',
      {},
      {
        priority,
        ...(key === undefined ? {} : { replaceKey: key }),
        ...(expires === undefined ? {} : { expiresAt: r.b.clock.now() + expires }),
      },
    );
    look(m, r);
    if (m.closed) expect(r.b.endings[name]).toEqual([{ code: 'ocpp.closed' }]);
  }

  toString(): string {
    return `call ${JSON.stringify(this.#o)}`;
  }
}

/** An answer of the peer: to the open call, to one long ended, or to none. */
class Answer implements fc.AsyncCommand<Model, Real> {
  readonly #type: 3 | 4;
  readonly #id: string | undefined;
  readonly #valid: boolean;

  constructor(type: 3 | 4, id: string | undefined, valid: boolean) {
    this.#type = type;
    this.#id = id;
    this.#valid = valid;
  }

  check(m: Readonly<Model>): boolean {
    return this.#id !== undefined || m.openId !== undefined;
  }

  async run(m: Model, r: Real): Promise<void> {
    const id = this.#id ?? m.openId ?? '';
    const before = ended(m, r);
    const open = m.openId === id && !m.closed;
    if (open) m.openId = undefined;
    r.b.receive(
      this.#type === 3
        ? [3, id, this.#valid ? { status: 'Accepted' } : { status: 7 }]
        : [4, id, 'GenericError', '', {}],
    );
    look(m, r);
    // Calls behind it may have expired meanwhile, so at least one has ended.
    if (open) expect(ended(m, r)).toBeGreaterThan(before);
    else expect(ended(m, r)).toBe(before);
  }

  toString(): string {
    return `answer ${this.#type} to ${this.#id ?? 'the open call'}${this.#valid ? '' : ', invalid'}`;
  }
}

class Advance implements fc.AsyncCommand<Model, Real> {
  readonly #ms: number;

  constructor(ms: number) {
    this.#ms = ms;
  }

  check(): boolean {
    return true;
  }

  async run(m: Model, r: Real): Promise<void> {
    await r.b.clock.advance(this.#ms);
    const due = r.b.session.deadline <= r.b.clock.now();
    if (due) m.openId = undefined;
    r.b.run(r.b.session.tick());
    look(m, r);
    expect(r.b.session.deadline).toBeGreaterThan(r.b.clock.now());
  }

  toString(): string {
    return `advance ${this.#ms}`;
  }
}

class Close implements fc.AsyncCommand<Model, Real> {
  check(): boolean {
    return true;
  }

  async run(m: Model, r: Real): Promise<void> {
    r.b.run(r.b.session.close());
    m.closed = true;
    m.openId = undefined;
    look(m, r);
    expect(ended(m, r)).toBe(m.names.length);
  }

  toString(): string {
    return 'close';
  }
}

const commands = [
  fc
    .record({
      priority: fc.constantFrom<Priority>('stop', 'reduction', 'setpoint', 'request', 'report'),
      key: fc.constantFrom(undefined, 'evse1', 'evse2'),
      expires: fc.constantFrom(undefined, undefined, 500, 2500),
    })
    .map((o) => new Call(o)),
  fc
    .tuple(fc.constantFrom<3 | 4>(3, 4), fc.constantFrom(undefined, undefined, 'id-1', 'id-2', 'stray'), fc.boolean())
    .map(([type, id, valid]) => new Answer(type, id, valid)),
  fc.constantFrom(1, 400, 999, 1000, 3000).map((ms) => new Advance(ms)),
  fc.integer({ min: 0, max: 19 }).map((n) => (n === 0 ? new Close() : new Advance(1))),
];

describe('in any order of calls, answers, time and the end', () => {
  it('never two calls are open, and every call ends exactly once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.commands(commands, { maxCommands: 40 }), async (cmds) => {
        const m: Model = { names: [], openId: undefined, closed: false };
        const r: Real = { b: bench('ocpp2.1', 'csms', LIMITS) };
        await fc.asyncModelRun(() => ({ model: m, real: r }), cmds);
        r.b.run(r.b.session.close());
        for (const name of m.names) expect(r.b.endings[name], name).toHaveLength(1);
      }),
      { numRuns: 250 },
    );
  });
});
