import { afterEach, describe, expect, it } from 'vitest';
import { type Operator, useDepot } from './depot.ts';
import { setpointBody } from './requests.ts';

const depot = useDepot({ folder: 'uc-2.1-setpoint-following' });
const near = (targetW: number) => (): boolean => Math.abs(depot().power() - targetW) <= 500;

let fo: Operator | undefined;
let fsrId = 'N-0';

/** The operator, once more where it was lost, with a service that runs for the next minutes. */
async function service(fallback: 'zero' | 'baseline' | 'mobility' = 'zero'): Promise<Operator> {
  const d = depot();
  fo ??= await d.operator();
  fsrId = `N-${Number(fsrId.slice(2)) + 1}`;
  const body = setpointBody(d, { fsrId, fallback: { onExpiry: fallback, rampS: 0 } });
  expect(await fo.request('RequestService', body)).toMatchObject({ status: 'ok' });
  await d.run(1);
  expect(fo.decision(fsrId)).toMatchObject({ decision: 'accepted' });
  return fo;
}

const setpoint = (operator: Operator, seq: number, targetW: number, validS = 60) =>
  operator.request('UpdateSetpoint', { setpoint: { fsrId, seq, targetW, validUntil: depot().at(validS) } });

afterEach(async () => {
  depot().fleet.control({ station: '*', fault: 'none' });
  await fo?.request('CancelService', { fsrId, reason: 'the test is over', at: depot().at(), rampS: 0 });
  await depot().run(2);
});

describe('UC 2.1 Setpoint following, as it is shipped', () => {
  it('the fleet follows the setpoint through zero and back, and the operator sees it', async () => {
    const d = depot();
    const operator = await service();
    const subject = { groupId: 'g:depot' };
    await operator.request('SubscribeTelemetry', { subject, fields: ['powerW'], intervalS: 1, until: d.at(120) });
    for (const [i, targetW] of [20_000, -10_000, 30_000].entries()) {
      expect(await setpoint(operator, i + 1, targetW)).toMatchObject({ status: 'ok', data: { appliedW: targetW } });
      expect(await d.until(`${targetW} W`, near(targetW))).toBeLessThanOrEqual(6);
      await d.run(5);
      expect(near(targetW)(), `${targetW} W held`).toBe(true);
    }
    const seenW = operator.heard.flatMap((m) =>
      m.type === 'Telemetry' ? m.body.samples.map((x) => x.powerW ?? 0) : [],
    );
    for (const targetW of [20_000, -10_000, 30_000])
      expect(Math.min(...seenW.map((w) => Math.abs(w - targetW))), `${targetW} W`).toBeLessThan(1000);
    // Accepted is not effective: the meter has to show it.
    const outcomes = () => d.snapshot().resources.map((r) => r.outcome);
    await d.until('meters show it', () => outcomes().includes('effective'));
    expect(outcomes()).not.toContain('refused');
  });

  it('an expired setpoint ends in the fallback that was asked for, and the next one leads back', async () => {
    const d = depot();
    const operator = await service();
    await setpoint(operator, 1, 16_000, 8);
    await d.until('it follows', near(16_000));
    await d.until('the fallback', near(0), 15);
    expect(operator.notices(fsrId, 'fallback')).toMatchObject([{ cause: 'setpoint.expired' }]);
    expect(await setpoint(operator, 1, 9000)).toMatchObject({ status: 'rejected', code: 'seq.stale' });
    await setpoint(operator, 2, 12_000);
    await d.until('it follows again', near(12_000));
    expect(operator.notices(fsrId, 'resumed')).toHaveLength(1);
  });

  it('a station that refuses is left out, and the others take over', async () => {
    const d = depot();
    const operator = await service();
    await setpoint(operator, 1, -12_000);
    await d.until('it follows', near(-12_000));
    d.fleet.control({ station: 'DEMO-V2G-1', fault: 'refuse' });
    await setpoint(operator, 2, -18_000);
    const outcome = () => d.snapshot().resources.find((r) => r.resourceId === 'DEMO-V2G-1.1')?.outcome;
    await d.until('it refuses', () => outcome() === 'refused');
    const others = () => d.power() - d.power('DEMO-V2G-1');
    await d.until('the others give all of it', () => Math.abs(others() - -18_000) <= 500);
  });

  it('the last setpoint of a lost operator holds until it expires; then comes the fallback, of which it hears later', async () => {
    const d = depot();
    const lost = await service('zero');
    await setpoint(lost, 1, 14_000, 25);
    await d.until('it follows', near(14_000));
    await lost.close();
    await d.run(12);
    expect(near(14_000)()).toBe(true);
    await d.until('the fallback', near(0), 20);
    fo = await d.operator();
    await d.run(1);
    expect(fo.notices(fsrId, 'fallback')).toMatchObject([{ cause: 'setpoint.expired' }]);
    await setpoint(fo, 2, 10_000);
    await d.until('it leads again', near(10_000));
  });

  it('what “change the target” does counts, and a deploy interrupts nobody', async () => {
    const d = depot();
    const operator = await service();
    await setpoint(operator, 1, 20_000);
    await d.until('it follows', near(20_000));
    const cap = 'msg.payload.targetW = Math.min(msg.payload.targetW, 5000);\nreturn msg;';
    await d.gateway.deploy(d.flow.map((n) => (n.name === 'change the target' ? { ...n, func: cap } : n)));
    await setpoint(operator, 2, 20_000);
    await d.until('5 kW', near(5000));
    expect(d.snapshot().resources.every((r) => r.online)).toBe(true);
    expect(d.snapshot().services.find((s) => s.fsrId === fsrId)).toMatchObject({ requestedW: 20_000, targetW: 5000 });
    await d.gateway.deploy(d.flow);
  });
});
