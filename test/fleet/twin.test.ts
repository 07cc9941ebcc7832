import { beforeEach, describe, expect, it } from 'vitest';
import { iso, type ManualClock, manualClock } from '../../core/clock.ts';
import { resourcesOf } from '../../hub/fleet/resources.ts';
import { FleetTwin, inUse } from '../../hub/fleet/twin.ts';
import type { MeterReading, SessionEvent, StationStatus } from '../../model/index.ts';
import { siteFile } from '../support/site-file.ts';

const ID = 'V2G-1.1';
let clock: ManualClock;
let twin: FleetTwin;

beforeEach(() => {
  clock = manualClock();
  twin = new FleetTwin(clock);
  twin.configure(resourcesOf(siteFile()));
});

const entry = () => {
  const e = twin.get(ID);
  if (!e) throw new Error('no entry');
  return e;
};
const status = (state: StationStatus['state']) => twin.status({ resourceId: ID, at: iso(clock.now()), state });
const meter = (powerW: number, patch: Partial<MeterReading> = {}) =>
  twin.reading({ resourceId: ID, at: iso(clock.now()), powerW, quality: 'good', ...patch });
const session = (kind: SessionEvent['kind'], sessionId = 'tx-1', patch: Partial<SessionEvent> = {}) =>
  twin.session({ resourceId: ID, sessionId, kind, at: iso(clock.now()), ...patch });

describe('fleet twin', () => {
  it('knows every EVSE of the site file as offline at first', () => {
    expect([...twin.all()].map((e) => [e.resource.resourceId, e.online])).toEqual([
      ['V2G-1.1', false],
      ['AC-1.1', false],
      ['AC-2.1', false],
    ]);
  });

  it('trusts a value for two of its intervals, estimates for the third, then misses it (fo 6.4, fo 8.6)', async () => {
    status('available');
    session('started');
    for (let i = 0; i < 30; i++) {
      await clock.advance(2000);
      meter(5000);
    }
    const age = async (ms: number) => {
      await clock.advance(ms);
      return [twin.quality(entry()), twin.powerOf(entry())];
    };
    expect(await age(3900)).toEqual(['good', 5000]);
    expect(await age(1900)).toEqual(['estimated', 5000]);
    expect(await age(2000)).toEqual(['missing', undefined]);
  });

  it('counts an EVSE without a session as 0 W, and one that is offline as unknown', () => {
    status('available');
    expect(twin.powerOf(entry())).toBe(0);
    status('offline');
    expect(twin.powerOf(entry())).toBeUndefined();
  });

  it('keeps session and readings over a lost connection, and forgets them when the EV leaves', () => {
    status('available');
    session('started');
    meter(5000, { socPct: 40 });
    status('offline');
    expect(entry().session?.id).toBe('tx-1');
    status('charging');
    session('ended');
    expect(entry()).toMatchObject({ state: 'connected', reading: { powerW: 0 } });
    expect(entry().session).toBeUndefined();
    expect(entry().reading?.socPct).toBeUndefined();
  });

  it('is not misled by the late end of an older session', () => {
    status('available');
    session('started', 'tx-1');
    session('started', 'tx-2');
    expect(session('ended', 'tx-1')).toBeUndefined();
    expect(entry().session?.id).toBe('tx-2');
  });

  it('lets no vague status hide that power flows', () => {
    status('available');
    session('started');
    meter(-4000);
    expect(entry().state).toBe('discharging');
    status('connected');
    expect(entry().state).toBe('discharging');
  });

  it('ignores values that are older than what it knows, and takes none from the future as such', async () => {
    status('available');
    session('started');
    await clock.advance(10_000);
    meter(5000);
    expect(meter(1, { at: iso(clock.now() - 5000) })).toBe(false);
    meter(6000, { at: iso(clock.now() + 3_600_000) });
    expect(entry().reading).toMatchObject({ powerW: 6000, at: clock.now() });
  });

  it('learns the cap of an EV that takes less than it was given, and drops it when it is passed (fo 8.1)', async () => {
    status('available');
    session('started');
    await clock.advance(30_000);
    meter(3000);
    twin.learn(ID, 10_000, clock.now() - 31_000, 10_000);
    expect(entry().learned?.maxW).toBeCloseTo(3300);
    await clock.advance(2000);
    meter(3200);
    twin.learn(ID, 3300, clock.now() - 60_000, 10_000);
    expect(entry().learned).toBeUndefined();
  });

  it('learns nothing before the station had time to follow', async () => {
    status('available');
    session('started');
    await clock.advance(5000);
    meter(3000);
    twin.learn(ID, 10_000, clock.now() - 5000, 10_000);
    expect(entry().learned).toBeUndefined();
  });

  it('learns no cap from an EV that takes nearly all it was given', async () => {
    status('available');
    session('started');
    await clock.advance(60_000);
    meter(9500);
    twin.learn(ID, 10_000, clock.now() - 60_000, 10_000);
    expect(entry().learned).toBeUndefined();
  });

  it('caps an EV that charges on fewer phases no lower than the least of its EVSE, or it would get nothing', async () => {
    const ac = 'AC-1.1';
    const at = () => iso(clock.now());
    twin.status({ resourceId: ac, at: at(), state: 'available' });
    twin.session({ resourceId: ac, sessionId: 'tx', kind: 'started', at: at() });
    await clock.advance(60_000);
    twin.reading({ resourceId: ac, at: at(), powerW: 3600, quality: 'good' });
    twin.learn(ac, 11_000, clock.now() - 60_000, 10_000);
    expect(twin.get(ac)?.learned?.maxW).toBe(4140);
  });

  it('tries a learned cap again after 5 min, also when the clock was set back', async () => {
    status('available');
    session('started');
    await clock.advance(31_000);
    meter(3000);
    twin.learn(ID, 10_000, clock.now() - 31_000, 10_000);
    clock.set(clock.now() - 3_600_000);
    meter(3000);
    twin.learn(ID, 3300, clock.now(), 10_000);
    expect(entry().learned).toBeUndefined();
  });

  it('keeps what it knows of resources that stay in a new site file', () => {
    status('available');
    session('started');
    twin.configure(resourcesOf(siteFile({ stations: siteFile().stations.slice(0, 1) })));
    expect(twin.size).toBe(1);
    expect(entry().session?.id).toBe('tx-1');
  });
});

describe('the clock of the gateway, set back', () => {
  it('does not make the twin deaf or old values young', async () => {
    status('available');
    session('started');
    meter(5000);
    await clock.advance(10_000);
    meter(5000);
    clock.set(clock.now() - 3_600_000);
    expect(twin.quality(entry())).toBe('estimated');
    expect(meter(7000)).toBe(true);
    expect(entry().reading).toMatchObject({ powerW: 7000, at: clock.now() });
    expect(twin.quality(entry())).toBe('good');
  });
});

describe('a power value', () => {
  it('is as old as it is, also when the energy register was read later', async () => {
    status('available');
    session('started');
    meter(5000);
    for (let i = 0; i < 20; i++) {
      await clock.advance(10_000);
      twin.reading({ resourceId: ID, at: iso(clock.now()), importWh: i, quality: 'good' });
    }
    expect(twin.quality(entry())).toBe('missing');
  });

  it('is no better than its source says', () => {
    status('available');
    session('started');
    meter(5000, { quality: 'substituted' });
    expect(twin.quality(entry())).toBe('substituted');
  });

  it('shows that an EV is in use, also when its session is unknown', () => {
    status('connected');
    expect(inUse(entry())).toBe(false);
    meter(4000);
    expect(entry().state).toBe('charging');
    expect(inUse(entry())).toBe(true);
  });
});

describe('a session', () => {
  it('that has ended is not opened again by a word that comes late', () => {
    status('available');
    expect(session('started')).toBe('started');
    expect(session('ended')).toBe('ended');
    expect(session('started')).toBeUndefined();
    expect(session('updated')).toBeUndefined();
    expect(session('ended')).toBeUndefined();
    expect(entry().session).toBeUndefined();
    expect(session('started', 'tx-2')).toBe('started');
  });

  it('that started twice is one', () => {
    status('available');
    session('started');
    expect(session('started')).toBeUndefined();
    expect(session('updated')).toBeUndefined();
    expect(session('updated', 'tx-1', { state: 'suspended' })).toBe('changed');
  });

  it('older than the one that runs is no news', async () => {
    status('available');
    const before = iso(clock.now());
    await clock.advance(10_000);
    session('started', 'tx-2');
    expect(session('updated', 'tx-1', { at: before })).toBeUndefined();
    expect(entry().session?.id).toBe('tx-2');
  });

  it('that a station tells after it was offline is not one that has just begun', () => {
    status('available');
    expect(session('started', 'tx-1', { offline: true })).toBe('changed');
  });

  it('goes on after a fault that is over', () => {
    status('available');
    session('started');
    status('faulted');
    expect(entry().session).toBeUndefined();
    status('charging');
    expect(session('updated')).toBe('changed');
    expect(entry().session?.id).toBe('tx-1');
  });
});

describe('the needs of an EV', () => {
  const needs = () =>
    twin.needs({
      resourceId: ID,
      at: iso(clock.now()),
      bidirectional: true,
      energyToMaxWh: 10_000,
      exportableWh: 5000,
    });
  const movedWh = () => entry().needs?.movedWh;
  const registers = (importWh: number, exportWh = 0) => meter(0, { importWh, exportWh });

  it('survive a lost connection, and the next EV does not inherit them', () => {
    status('connected');
    session('started');
    needs();
    status('offline');
    status('charging');
    expect(movedWh()).toBe(0);
    session('ended');
    session('started', 'tx-2');
    expect(movedWh()).toBeUndefined();
  });

  it('that came before the session began belong to it', () => {
    status('connected');
    needs();
    session('started');
    expect(movedWh()).toBe(0);
  });

  it('are followed by the registers in both directions', async () => {
    status('connected');
    session('started');
    registers(1000, 500);
    needs();
    await clock.advance(600_000);
    registers(2000, 500);
    await clock.advance(600_000);
    registers(2000, 800);
    expect(movedWh()).toBe(700);
  });

  it('are not confused by a register that jumps back or far ahead', async () => {
    status('connected');
    session('started');
    registers(50_000);
    needs();
    await clock.advance(60_000);
    registers(50_100);
    await clock.advance(60_000);
    registers(0);
    await clock.advance(60_000);
    registers(100);
    await clock.advance(60_000);
    registers(9_000_000);
    expect(movedWh()).toBe(200);
  });

  it('count energy between readings of the register, not of the power', async () => {
    status('connected');
    session('started');
    registers(1000);
    needs();
    for (let i = 0; i < 90; i++) {
      await clock.advance(10_000);
      meter(9000);
    }
    registers(3250);
    expect(movedWh()).toBe(2250);
  });
});
