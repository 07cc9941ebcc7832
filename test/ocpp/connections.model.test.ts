import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ManualClock, manualClock } from '../../core/clock.ts';
import { codeOf } from '../../core/errors.ts';
import { createOcppServer, type OcppServer, type Station } from '../../protocols/ocpp/index.ts';
import { VALIDATORS } from './kit.ts';
import { answers, finish, type Raw, raw } from './sockets.ts';

const TIMEOUT_MS = 10_000;
const IDENTITIES = ['CP1', 'CP2'] as const;

/** What stations of two identities, the network and the gateway do, in any order. */
type Step =
  | { readonly do: 'connect'; readonly identity: (typeof IDENTITIES)[number] }
  | { readonly do: 'leave' | 'break'; readonly which: number }
  | { readonly do: 'call'; readonly identity: (typeof IDENTITIES)[number] }
  | { readonly do: 'answer' | 'answerLate'; readonly which: number }
  | { readonly do: 'wait'; readonly ms: number };

const identity = fc.constantFrom(...IDENTITIES);
const which = fc.nat(9);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: identity.map((i) => ({ do: 'connect' as const, identity: i })) },
  { weight: 2, arbitrary: which.map((w) => ({ do: 'leave' as const, which: w })) },
  { weight: 2, arbitrary: which.map((w) => ({ do: 'break' as const, which: w })) },
  { weight: 4, arbitrary: identity.map((i) => ({ do: 'call' as const, identity: i })) },
  { weight: 3, arbitrary: which.map((w) => ({ do: 'answer' as const, which: w })) },
  { weight: 1, arbitrary: which.map((w) => ({ do: 'answerLate' as const, which: w })) },
  { weight: 2, arbitrary: fc.constantFrom(1_000, TIMEOUT_MS).map((ms) => ({ do: 'wait' as const, ms })) },
);

/** A connection as the model knows it. */
interface Line {
  readonly identity: string;
  readonly peer: Raw;
  readonly station: Station;
  /** CALLs that reached the station, by id, oldest first. */
  readonly heard: string[];
  readonly closes: string[];
  gone: boolean;
}

/** How a call of the gateway ended; each must end exactly once. */
interface Asked {
  readonly line: Line;
  readonly ends: string[];
}

class World {
  readonly clock: ManualClock;
  readonly lines: Line[] = [];
  readonly asked: Asked[] = [];
  readonly server: OcppServer;
  readonly #arrived: Station[];

  private constructor(clock: ManualClock, server: OcppServer, arrived: Station[]) {
    this.clock = clock;
    this.server = server;
    this.#arrived = arrived;
  }

  static async open(): Promise<World> {
    const arrived: Station[] = [];
    const clock = manualClock();
    const server = await createOcppServer({
      clock,
      validators: VALIDATORS,
      limits: { timeoutMs: TIMEOUT_MS, maxQueue: 8 },
      pingMs: 0,
      onStation(station) {
        station.handle(answers);
        arrived.push(station);
      },
    });
    return new World(clock, server, arrived);
  }

  async connect(name: string): Promise<void> {
    const peer = await raw(`${this.server.url}/${name}`, ['ocpp1.6']);
    const station = this.#arrived.pop();
    if (!station) throw new Error('the server did not tell of the station');
    const line: Line = { identity: name, peer, station, heard: [], closes: [], gone: false };
    station.onClose((why) => line.closes.push(why.error));
    peer.ws.on('message', (data) => {
      const frame: unknown = JSON.parse(String(data));
      if (Array.isArray(frame) && frame[0] === 2) line.heard.push(String(frame[1]));
    });
    for (const old of this.lines) if (old.identity === name) old.gone = true;
    this.lines.push(line);
  }

  call(name: string): void {
    const line = this.lines.findLast((l) => l.identity === name);
    if (!line) return;
    const asked: Asked = { line, ends: [] };
    this.asked.push(asked);
    line.station.callAny('ClearCache', {}).then(
      () => asked.ends.push('answered'),
      (e: unknown) => asked.ends.push(codeOf(e) ?? String(e)),
    );
  }

  async take(s: Step): Promise<void> {
    const line = 'which' in s ? this.lines[s.which % Math.max(1, this.lines.length)] : undefined;
    if (s.do === 'connect') await this.connect(s.identity);
    else if (s.do === 'call') this.call(s.identity);
    else if (s.do === 'wait') await this.clock.advance(s.ms);
    else if (line && (s.do === 'leave' || s.do === 'break')) {
      line.gone = true;
      if (s.do === 'leave') line.peer.ws.close(1000);
      else line.peer.ws.terminate();
      await line.peer.closed;
    } else if (line) {
      const id = s.do === 'answer' ? line.heard.shift() : 'long-gone';
      if (id !== undefined && !line.gone) line.peer.ws.send(JSON.stringify([3, id, { status: 'Accepted' }]));
    }
    await this.settle();
  }

  /** Everything that is under way on loopback arrives. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 8; turn++) await new Promise((next) => setImmediate(next));
  }

  look(): void {
    for (const name of IDENTITIES) {
      const newest = this.lines.findLast((l) => l.identity === name);
      const registered = this.server.station(name);
      if (newest && !newest.gone) expect(registered, `${name} is the newest connection`).toBe(newest.station);
      else expect(registered, `${name} is gone`).toBeUndefined();
    }
    for (const { closes, gone, identity: name } of this.lines) {
      expect(closes.length, `${name} ends once`).toBe(gone ? 1 : 0);
    }
    for (const { ends, line } of this.asked) {
      expect(ends.length).toBeLessThanOrEqual(1);
      if (line.gone) expect(ends).toHaveLength(1);
    }
  }
}

describe('connections of stations under whatever comes (ocpp 1)', () => {
  it('the newest stands for its identity, an old end touches nothing, every call ends once', async () => {
    let replaced = 0;
    let timeouts = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 25 }), async (steps) => {
        const world = await World.open();
        for (const s of steps) {
          await world.take(s);
          await expect.poll(() => world.look(), { timeout: 2_000, interval: 2 }).toBeUndefined();
        }
        await world.clock.advance(TIMEOUT_MS * 9);
        await world.settle();
        expect(world.asked.filter((a) => a.ends.length !== 1)).toEqual([]);
        replaced += world.asked.filter((a) => a.ends[0] === 'ocpp.replaced').length;
        timeouts += world.asked.filter((a) => a.ends[0] === 'ocpp.timeout').length;
        await finish(world.clock, world.server.close(0));
        expect(world.clock.pending).toBe(0);
      }),
      { numRuns: 40 },
    );
    expect(Math.min(replaced, timeouts)).toBeGreaterThan(0);
  });
});
