import { afterEach, describe, expect, it } from 'vitest';
import { noteTapped } from '../../bridges/ocpp/tapped.ts';
import { resourcesOf } from '../../hub/fleet/resources.ts';
import type { TraceNote } from '../../hub/ports.ts';
import type { TappedMessage } from '../../protocols/ocpp/index.ts';
import { siteFile } from '../support/site-file.ts';
import { BridgeWorld } from './world.ts';

const V2G = resourcesOf(siteFile()).filter((r) => r.resourceId === 'V2G-1.1');

function noted(m: Partial<TappedMessage>, passedOn = false): TraceNote {
  const notes: TraceNote[] = [];
  const trace = { note: (n: TraceNote) => void notes.push(n), leavesOut: () => false, leavesOutAny: () => false };
  const message: TappedMessage = {
    identity: 'V2G-1',
    version: 'ocpp2.1',
    direction: 'in',
    kind: 'call',
    id: '7',
    action: 'Heartbeat',
    payload: {},
    ...m,
  };
  noteTapped({ trace, linkId: 'ocpp:x', passedOn, resources: () => V2G }, message);
  const [note] = notes;
  if (note === undefined) throw new Error('nothing was noted');
  const { resourceIds } = note;
  return { ...note, resourceIds: typeof resourceIds === 'function' ? resourceIds() : resourceIds };
}

describe('a message of a station in the timeline', () => {
  it('a call of ours has its id, and what it is about as its cause', () => {
    const about = { cause: 'cmd:1', resourceId: 'V2G-1.1' };
    const ours = { direction: 'out', action: 'SetChargingProfile', about } as const;
    expect(noted(ours)).toMatchObject({
      topic: 'ocpp2.1/SetChargingProfileRequest',
      id: '7',
      cause: 'cmd:1',
      resourceIds: ['V2G-1.1'],
      awaits: true,
    });
    expect(noted({ ...ours, direction: 'in', kind: 'result' })).toMatchObject({
      topic: 'ocpp2.1/SetChargingProfileResponse',
      id: '7/answer',
      cause: '7',
      awaits: false,
    });
  });

  it('a call of the station is told apart from those of others', () => {
    expect(noted({ action: 'BootNotification' })).toMatchObject({ id: 'V2G-1/7', cause: undefined });
    const answer = noted({ action: 'BootNotification', direction: 'out', kind: 'error' });
    expect(answer).toMatchObject({
      topic: 'ocpp2.1/BootNotificationCallError',
      id: 'V2G-1/7/answer',
      cause: 'V2G-1/7',
    });
  });

  it('what comes again and again is a series', () => {
    const event = (triggerReason: string, eventType = 'Updated') =>
      noted({ action: 'TransactionEvent', payload: { eventType, triggerReason, evse: { id: 1 } } });
    expect(noted({}).series).toBeDefined();
    expect(noted({ action: 'MeterValues', payload: { evseId: 1 } })).toMatchObject({
      series: expect.any(String),
      resourceIds: ['V2G-1.1'],
    });
    expect(event('MeterValuePeriodic').series).toBeDefined();
    expect(event('ChargingStateChanged').series).toBeUndefined();
    expect(event('MeterValuePeriodic', 'Started').series).toBeUndefined();
    expect(noted({ action: 'TriggerMessage', direction: 'out' }).series).toBeUndefined();
  });

  it('names its EVSE, or the only one; a heartbeat is about none', () => {
    expect(noted({ action: 'Authorize' }).resourceIds).toEqual(['V2G-1.1']);
    expect(noted({ action: 'StatusNotification', payload: { evseId: 1 } }).resourceIds).toEqual(['V2G-1.1']);
    expect(noted({}).resourceIds).toEqual([]);
  });

  it('on a native link it is written down at once', () => {
    expect(noted({}, true).passedOn).toBe(true);
    expect(noted({}).passedOn).toBeUndefined();
  });
});

describe('what the console needs of a link', () => {
  let world: BridgeWorld;
  afterEach(() => world.close());

  it('a limit that is refused again and again is a warning until it holds', async () => {
    world = await BridgeWorld.open();
    const s = await world.ac(() => ({ status: 'Rejected' }));
    const warnings = () => world.site.snapshot().warnings ?? [];
    await world.limit('AC-1.1', 7000);
    await world.run(40_000, 1000);
    expect(warnings()).toEqual([
      { code: 'limit.notHeld', subject: 'AC-1.1', text: expect.stringContaining('7.0 kW'), since: expect.any(String) },
    ]);
    s.script = () => ({ status: 'Accepted' });
    await world.run(15_000, 1000);
    expect(warnings()).toEqual([]);
  });

  it('an order is answered with what the station said, and stands in the event log', async () => {
    world = await BridgeWorld.open();
    const s = await world.scripted('ocpp2.1', 'V2G-1');
    s.script = () => ({ status: 'Rejected', statusInfo: { reasonCode: 'Busy' } });
    const order = { orderId: 'o:1', identity: 'V2G-1', action: 'reset' } as const;
    expect(await world.site.order(order, 'anna')).toMatchObject({ state: 'rejected', reason: 'Rejected: Busy' });
    expect(await world.site.order({ ...order, identity: 'GHOST' }, 'anna')).toMatchObject({
      state: 'rejected',
      code: 'station.notConnected',
    });
    await world.site.evidence.flush();
    const log = [];
    for await (const e of world.site.evidence.reader.events('local')) if (e.kind === 'station.ordered') log.push(e);
    expect(log).toMatchObject([
      { severity: 'warning', subject: ['V2G-1'], text: 'reset by anna: rejected: Rejected: Busy' },
      { subject: ['GHOST'] },
    ]);
  });
});
