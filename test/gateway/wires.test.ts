import { readFile } from 'node:fs/promises';
import type { FlowNode } from 'node-red';
import { beforeAll, describe, expect, it } from 'vitest';
import { DEMO_FLOW, promptSite, useGateway } from '../support/gateway.ts';
import { connectStation, type TestStation } from '../support/peers.ts';

const gw = useGateway({ site: promptSite });
const flow = JSON.parse(await readFile(DEMO_FLOW, 'utf8')) as FlowNode[];

/** Every wire of the example flow: from which node, on which output, to which node. */
const WIRES = flow.flatMap((n) =>
  (n.wires ?? []).flatMap((targets, output) => targets.map((to) => ({ from: n.id, output, to }))),
);

function without(wire: (typeof WIRES)[number] | undefined): FlowNode[] {
  return flow.map((n) =>
    n.id === wire?.from
      ? {
          ...n,
          wires: (n.wires ?? []).map((to, output) => (output === wire.output ? to.filter((id) => id !== wire.to) : to)),
        }
      : n,
  );
}

const VOLTS = 230;
const PHASES = 3;

/** The power that a charging profile of OCPP 1.6 permits, W. */
function permittedW(profile: Record<string, unknown>): number {
  const schedule = (
    profile.csChargingProfiles as {
      chargingSchedule: { chargingRateUnit: string; chargingSchedulePeriod: { limit: number }[] };
    }
  ).chargingSchedule;
  const limit = schedule.chargingSchedulePeriod[0]?.limit ?? Number.NaN;
  return schedule.chargingRateUnit === 'A' ? limit * VOLTS * PHASES : limit;
}

let station: TestStation;

const limitTo = async (importLimitW: number): Promise<number> => {
  // What the station was told before may still be on its way.
  const sent = station.nextCall((action, p) => action === 'SetChargingProfile' && permittedW(p) <= importLimitW);
  const res = await gw().get('/v2gate/api/limit', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ nodeId: 'poc', source: 'grid', importLimitW }),
  });
  expect(res.status).toBe(200);
  return permittedW(await sent);
};

beforeAll(async () => {
  await gw().deploy(without(undefined));
  station = await connectStation(await gw().linkUrl('v2gate-ocpp-server'), 'DEMO-AC-1');
  const timestamp = new Date().toISOString();
  await station.call('StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Preparing', timestamp });
  await station.call('StartTransaction', { connectorId: 1, idTag: 'DEMO', meterStart: 0, timestamp });
  await station.call('StatusNotification', { connectorId: 1, errorCode: 'NoError', status: 'Charging', timestamp });
});

describe('a limit does not hang on a wire', () => {
  it('the example flow has wires to delete', () => {
    expect(WIRES.length).toBeGreaterThanOrEqual(8);
  });

  it.each(WIRES.map((w, i) => [`${w.from} [${w.output}] → ${w.to}`, w, 8_000 - i * 100] as const))(
    'without %s it reaches the station and stays in force',
    async (_name, wire, limitW) => {
      await gw().deploy(without(wire));
      expect(await limitTo(limitW)).toBeLessThanOrEqual(limitW);
      const view = (await (await gw().get('/v2gate/api/site')).json()) as { snapshot: { limits: unknown[] } };
      expect(view.snapshot.limits).toContainEqual(expect.objectContaining({ nodeId: 'poc', importLimitW: limitW }));
      expect(station.ends()).toBe(0);
    },
  );
});
