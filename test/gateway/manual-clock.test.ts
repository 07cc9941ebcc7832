import { describe, expect, it } from 'vitest';
import { manualClock } from '../../core/clock.ts';
import { siteNodes, useGateway } from '../support/gateway.ts';
import { connectStation } from '../support/peers.ts';

const START = Date.UTC(2026, 2, 2, 12);
const gw = useGateway({ clock: manualClock(START), env: { V2GATE_CLOCK: 'manual' } });

const advance = async (ms: unknown): Promise<{ status: number; body: unknown }> => {
  const res = await gw().get('/v2gate/api/clock/advance', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ms }),
  });
  return { status: res.status, body: await res.json() };
};

describe('a gateway on the manual clock', () => {
  it('stands still until it is advanced, and then everything in it moves', async () => {
    await gw().deploy(siteNodes());
    const station = await connectStation(await gw().linkUrl('v2gate-ocpp-server'), 'DEMO-AC-1');
    expect(await station.call('Heartbeat', {})).toEqual({ currentTime: new Date(START).toISOString() });
    expect(await advance(90_000)).toEqual({ status: 200, body: { now: START + 90_000 } });
    expect(await station.call('Heartbeat', {})).toEqual({ currentTime: new Date(START + 90_000).toISOString() });
    const plot = (await (await gw().get('/v2gate/api/plot')).json()) as { points: { at: number }[] };
    expect(plot.points.at(-1)?.at).toBeGreaterThan(START + 80_000);
    station.close();
  });

  it.each([-1, 1.5, '1', null, 1e12])('cannot be advanced by %s', async (ms) => {
    expect(await advance(ms)).toMatchObject({ status: 400, body: { error: { code: 'api.badRequest' } } });
  });
});
