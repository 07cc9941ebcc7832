import { expect, it } from 'vitest';
import { iso, manualClock } from '../../core/clock.ts';
import { resourcesOf } from '../../hub/fleet/resources.ts';
import { FleetTwin } from '../../hub/fleet/twin.ts';
import { Orders } from '../../hub/site/orders.ts';
import { siteFile } from '../support/site-file.ts';

const ID = 'V2G-1.1';

it('a command that the envelope has clipped is renewed as what became of it, and begins no new interval', async () => {
  const clock = manualClock();
  const twin = new FleetTwin(clock);
  twin.configure(resourcesOf(siteFile()));
  const orders = new Orders(clock, twin);
  const at = iso(clock.now());
  twin.status({ resourceId: ID, at, state: 'connected', protocol: 'ocpp2.1', offlineImportW: 4_000 });
  twin.session({ resourceId: ID, at, sessionId: 's', kind: 'started', state: 'charging' });
  orders.stationChanged(ID, 'started');
  const tell = (commandId: string, powerW: number) => {
    const validUntil = iso(clock.now() + 120_000);
    orders.issue([{ commandId, resourceId: ID, kind: 'setpoint', powerW, validUntil, level: 3 }]);
    for (const state of ['sent', 'accepted'] as const)
      orders.outcome({ commandId, resourceId: ID, state, at: iso(clock.now()), appliedW: Math.min(powerW, 5_000) });
  };
  tell('alloc:1', 8_000);
  const since = orders.known(ID).commandedAt;
  await clock.advance(70_000);
  const entry = twin.get(ID);
  const dueW = entry && orders.dueW(entry);
  expect(dueW).toBe(5_000);
  tell('alloc:2', dueW ?? 0);
  expect(orders.known(ID)).toMatchObject({ toldW: 5_000, commandedAt: since });
});
