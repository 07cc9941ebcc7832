import { afterEach, expect, it } from 'vitest';
import { Operator } from '../../bench/e2e/operator.ts';
import { Stations, startGateway } from '../../bench/e2e/processes.ts';
import type { FleetSnapshot } from '../../model/index.ts';
import { eventually } from './support/child.ts';
import type { GatewayProcess } from './support/gateway.ts';

const COUNT = 500;
/** More than each of the fleet can do without a command, less than it could draw. */
const TARGET_W = COUNT * 6_000;
/** A tenth of an ampere on three phases: an allocation cannot be finer (fo 8.4 G3). */
const STEP_W = 69;

let gateway: GatewayProcess | undefined;
let stations: Stations | undefined;
let operator: Operator | undefined;
afterEach(async () => {
  await operator?.stop();
  await stations?.stop();
  await gateway?.stop();
});

const snapshotOf = async (of: GatewayProcess): Promise<FleetSnapshot> =>
  ((await of.get('/v2gate/api/site')) as { readonly snapshot: FleetSnapshot }).snapshot;

it('takes a setpoint over MQTT to every one of 500 stations, and to their fallback when the operator vanishes', async () => {
  const running = await startGateway(COUNT, {});
  gateway = running;
  const snapshot = (): Promise<FleetSnapshot> => snapshotOf(running);
  stations = await Stations.start(await running.link('stations'), COUNT);
  await eventually(
    'a vehicle at every station',
    async () =>
      (await snapshot()).resources.filter((r) => r.sessionId !== undefined).length === COUNT ? true : undefined,
    60_000,
  );
  operator = await Operator.start(await running.link('operators'), COUNT, 5);
  await operator.setpoint(TARGET_W / 2);
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  stations.mark();
  await operator.setpoint(TARGET_W);
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const commanded = await stations.report();
  expect(commanded.stations).toBe(COUNT);
  const granted = (await snapshot()).grantedW;
  expect(granted).toBeGreaterThan(TARGET_W * 0.99);
  expect(granted).toBeLessThanOrEqual(TARGET_W);

  await operator.stop();
  operator = undefined;
  await eventually(
    'the fallback of the service',
    async () => (Math.abs((await snapshot()).grantedW) < COUNT * STEP_W ? true : undefined),
    30_000,
    500,
  );
}, 150_000);
