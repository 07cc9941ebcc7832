import { describe, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import { bootStation, greetOperator, type OperatorPeer, type Raw, type StationPeer } from '../hostile/peers.ts';
import { useWorld } from '../hostile/world.ts';
import { FUZZ_TIME, INPUTS, inputs, mutants } from './mutate.ts';
import { foBodies, OCPP16, OCPP21, OCPP201 } from './templates.ts';

const world = useWorld();
/** Frames sent in one go; what follows a frame that ends the connection is lost. */
const READ_EVERY = 5;
/** Time between two goes of an operator, ms: enough that its frames are not just too many. */
const PAUSE_MS = 250;
/** Frames between two looks at the others. */
const LOOK_EVERY = Math.max(50, INPUTS / 50);
/** Lines of the log that nothing from outside may cause. */
const FAULT =
  /handlerFailed|listenerFailed|frameFailed|internal\.permanent|site\.(decide|observation|store)|link\.listener/;

/**
 * Sends everything; a connection that the gateway ends is opened again. `tidy` takes back what was asked for in earnest.
 * Most frames must have been answered: a gateway that no longer listens would pass everything else.
 */
async function throwAt<P extends Raw>(
  open: () => Promise<P>,
  made: Iterable<() => string>,
  { tidy, pauseMs = 0 }: { readonly tidy?: (peer: P) => Promise<void>; readonly pauseMs?: number } = {},
): Promise<void> {
  const before = await world().settled();
  let peer = await open();
  let n = 0;
  let heard = 0;
  for (const make of made) {
    if (peer.end() !== undefined) {
      heard += peer.got.length;
      peer = await open();
    }
    peer.send(make());
    n++;
    if (n % READ_EVERY === 0) {
      await peer.read();
      await world().clock.advance(pauseMs);
    }
    if (n % LOOK_EVERY !== 0) continue;
    await peer.read();
    await world().unharmed();
  }
  await peer.read();
  expect(heard + peer.got.length).toBeGreaterThan(INPUTS / 3);
  peer.drop();
  peer = await open();
  await tidy?.(peer);
  peer.drop();
  await world().unharmed();
  await world().nothingGrew(before);
  expect(world().gw.log.filter((l) => FAULT.test(l))).toEqual([]);
}

/** Actions of the templates that are refused as they are, without any mutation. */
async function refused(open: () => Promise<StationPeer>, templates: readonly (() => unknown)[]): Promise<string[]> {
  const station = await open();
  const calls = templates.map((make) => make() as readonly [number, string, string, object]).filter(([t]) => t === 2);
  const answers = calls.map(([, , action, payload]) =>
    station.call(action, payload).then(
      () => '',
      (e: unknown) => `${action}: ${String(e)}`,
    ),
  );
  const bad = (await Promise.all(answers)).filter((a) => a !== '');
  station.drop();
  return bad;
}

/** Greets; a party that was cut off for too many refused messages is welcome again a little later. */
async function greetAgain(): Promise<OperatorPeer> {
  for (let tries = 1; ; tries++) {
    try {
      return await greetOperator(world().fo, 'fo:rival', world().clock.now);
    } catch (e) {
      if (tries === 30) throw e;
      await world().pass(2);
    }
  }
}

/** Some mutants are as good as their originals: services that were really accepted end here. */
async function cancelAll(operator: OperatorPeer): Promise<void> {
  const { snapshot } = await world().view();
  for (const { fsrId } of snapshot.services.filter((s) => s.fsrId !== 'N-1')) {
    await operator.request('CancelService', { fsrId, reason: 'tidy', at: iso(world().clock.now()) });
  }
}

describe('what the mutants are made of', () => {
  it.each([
    ['DEMO-AC-4', 'ocpp1.6', OCPP16],
    ['DEMO-AC-3', 'ocpp2.0.1', OCPP201],
    ['DEMO-V2G-2', 'ocpp2.1', OCPP21],
  ] as const)('is understood from %s, which speaks %s', async (identity, version, templates) => {
    expect(await refused(() => bootStation(world().ocpp, identity, version), templates)).toEqual([]);
  });

  it('is understood from an operator', async () => {
    const operator = await greetOperator(world().fo, 'fo:rival', world().clock.now);
    for (const [type, body] of foBodies(world().clock.now).filter(([t]) => !/Result|Heartbeat|Telemetry/.test(t))) {
      const { code, details } = await operator.request(type, body());
      expect([type, code, details], type).not.toContainEqual(expect.stringMatching(/^(schema|type)\./));
    }
    operator.drop();
  });
});

describe(`${INPUTS} mutated frames`, FUZZ_TIME, () => {
  it('of a station that speaks OCPP 1.6 harm nobody', () =>
    throwAt(() => bootStation(world().ocpp, 'DEMO-AC-4', 'ocpp1.6'), inputs(mutants(OCPP16))));

  it('of a station that speaks OCPP 2.0.1 harm nobody', () =>
    throwAt(() => bootStation(world().ocpp, 'DEMO-AC-3', 'ocpp2.0.1'), inputs(mutants(OCPP201))));

  it('of a station that speaks OCPP 2.1 harm nobody', () =>
    throwAt(() => bootStation(world().ocpp, 'DEMO-V2G-2', 'ocpp2.1'), inputs(mutants(OCPP21))));

  it('of an operator harm nobody', async () => {
    const operator = await greetOperator(world().fo, 'fo:rival', world().clock.now);
    const templates = foBodies(world().clock.now).map(
      ([type, body]) =>
        () =>
          operator.envelope(type, body()),
    );
    operator.drop();
    await throwAt(greetAgain, inputs(mutants(templates)), { tidy: cancelAll, pauseMs: PAUSE_MS });
  });

  it('of a console harm nobody', async () => {
    const limit = () => ({ nodeId: 'moon', source: 'fuzz', importLimitW: 9_000, exportLimitW: 1 });
    for (const make of inputs(mutants([limit]), Math.min(INPUTS, 5_000))) {
      const answer = await world().gw.get('/v2gate/api/limit', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: make(),
      });
      expect([400, 404]).toContain(answer.status);
      expect(await answer.json()).toMatchObject({ error: { code: expect.any(String), remedy: expect.any(String) } });
    }
    await world().unharmed();
  });
});
