import { beforeEach, describe, expect, it } from 'vitest';
import { iso, type ManualClock, manualClock } from '../../core/clock.ts';
import { resourcesOf } from '../../hub/fleet/resources.ts';
import { FleetTwin } from '../../hub/fleet/twin.ts';
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
    expect(session('ended', 'tx-1')).toBe(false);
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

  it('keeps what it knows of resources that stay in a new site file', () => {
    status('available');
    session('started');
    twin.configure(resourcesOf(siteFile({ stations: siteFile().stations.slice(0, 1) })));
    expect(twin.size).toBe(1);
    expect(entry().session?.id).toBe('tx-1');
  });
});
