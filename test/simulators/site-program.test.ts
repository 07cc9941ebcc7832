import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { manualClock, realClock } from '../../core/clock.ts';
import { MeterReading } from '../../model/index.ts';
import { fleetPower, httpDelivery, runSite } from '../../simulators/site/index.ts';
import { start, stopPrograms } from './program.ts';
import { World } from './world.ts';

let server: Server | undefined;
let world: World | undefined;
afterEach(async () => {
  stopPrograms();
  server?.close();
  server?.closeAllConnections();
  await world?.close();
  world = undefined;
});

interface Posted {
  readonly path: string | undefined;
  readonly token: string | undefined;
  readonly body: readonly MeterReading[];
}

interface TestGateway {
  readonly url: string;
  readonly posted: Posted[];
  /** The next post that is so. */
  until(matches: (posted: Posted) => boolean): Promise<Posted>;
}

/** A gateway that takes meter values and answers `status`. */
async function gateway(status = 200): Promise<TestGateway> {
  const posted: Posted[] = [];
  const waiting = new Set<(p: Posted) => void>();
  server = createServer(async (req, res) => {
    let text = '';
    for await (const chunk of req) text += String(chunk);
    const made = { path: req.url, token: req.headers.authorization, body: JSON.parse(text) };
    posted.push(made);
    res.statusCode = status;
    res.end(JSON.stringify({ code: 'meter.unknown' }));
    for (const look of waiting) look(made);
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const until = (matches: (p: Posted) => boolean): Promise<Posted> =>
    new Promise((resolve) => waiting.add((p) => (matches(p) ? resolve(p) : undefined)));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, posted, until };
}

const reading: MeterReading = { meterId: 'm:poc', at: '2026-01-01T00:00:00Z', powerW: 1, quality: 'good' };

describe('delivery of meter values', () => {
  it('posts lists to the gateway, with the token', async () => {
    const { url, posted } = await gateway();
    await httpDelivery({ gateway: url, clock: realClock(), token: 'let-me-in' })([reading]);
    expect(posted).toEqual([{ path: '/v2gate/api/meter', token: 'Bearer let-me-in', body: [reading] }]);
  });

  it('says what the gateway said no to, and that it is not there', async () => {
    const { url } = await gateway(400);
    const clock = realClock();
    await expect(httpDelivery({ gateway: url, clock })([reading])).rejects.toMatchObject({
      code: 'siteSimulator.refused',
      cause: { what: expect.stringContaining('meter.unknown') },
    });
    await expect(httpDelivery({ gateway: 'http://127.0.0.1:9', clock })([reading])).rejects.toMatchObject({
      code: 'siteSimulator.unreachable',
    });
  });
});

describe('site and fleet in one process', () => {
  it('the meters see what the stations really draw, not what these say', async () => {
    world = new World();
    await world.listen();
    const entry = { identity: 'AC', count: 2, version: 'ocpp2.0.1', phases: 3, maxImportW: 11_040, idTags: ['A', 'B'] };
    const fleet = world.fleet({ stations: [{ ...entry, version: 'ocpp2.0.1' }] });
    const clock = manualClock();
    const site = runSite({
      scenario: { base: { points: [{ atS: 0, powerW: 1000 }], noisePct: 0 }, poc: { meterId: 'm:poc' } },
      clock,
      seed: 1,
      stations: () => fleetPower(fleet),
      deliver: async () => undefined,
      onEvent: () => undefined,
    });
    fleet.control({ station: 'AC-1', press: 'plug' });
    fleet.control({ station: 'AC-1', meter: 'wrong' });
    await world.run(6000);
    await clock.advance(1000);
    expect(site.power).toMatchObject({ stationsW: 11_040, pocW: 12_040 });
    site.stop();
  });

  it('runs as a program that takes orders for both', async () => {
    world = new World(realClock());
    await world.listen();
    const { url, posted, until } = await gateway();
    const program = start('site', '--gateway', url, '--', '--url', world.url);
    await program.until((e) => e.event === 'allAccepted');
    program.stdin.write(
      '{"baseW":33000,"pvW":0}\n{"meter":"m:dc","state":"lost"}\n{"station":"DEMO-AC-1","fault":"refuse"}\n',
    );
    await program.until((e) => e.event === 'fault');
    program.stdin.write('{"meter":"m:nowhere","state":"lost"}\n');
    expect(await program.until((e) => e.event === 'controlFailed')).toMatchObject({
      code: 'siteSimulator.unknownMeter',
    });
    // Values from before the meter was lost may still be under way.
    const without = await until(({ body }) => body.every((r) => r.meterId !== 'm:dc'));
    program.kill();
    expect(await program.ended).toBe(0);
    expect(without.path).toBe('/v2gate/api/meter');
    expect(posted.flatMap((p) => p.body).flatMap((r) => MeterReading.check(r))).toEqual([]);
    expect(new Set(without.body.map((r) => r.meterId))).toEqual(new Set(['m:poc', 'm:ac']));
  });
});
