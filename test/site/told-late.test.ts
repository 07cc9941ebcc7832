import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { iso, manualClock } from '../../core/clock.ts';
import { resourceOf } from '../../hub/fleet/resources.ts';
import { FleetTwin } from '../../hub/fleet/twin.ts';
import { Orders } from '../../hub/site/orders.ts';
import type { CommandOutcome, PowerCommand } from '../../model/index.ts';
import { siteFile } from '../support/site-file.ts';

const ID = 'V2G-1.1';

/** What a site knows of one resource, fed by hand. */
function resource() {
  const clock = manualClock();
  const twin = new FleetTwin(clock);
  const file = siteFile();
  twin.configure(file.stations.flatMap((s) => s.evses.map((e) => resourceOf(s, e, file))));
  const orders = new Orders(clock, twin);
  const at = () => iso(clock.now());
  twin.status({ resourceId: ID, at: at(), state: 'connected', protocol: 'ocpp2.1', offlineImportW: 4_000 });
  twin.session({ resourceId: ID, at: at(), sessionId: 's', kind: 'started', state: 'charging' });
  orders.stationChanged(ID, 'started');
  return {
    clock,
    orders,
    measure(powerW: number) {
      twin.reading({ resourceId: ID, at: at(), powerW, quality: 'good' });
      orders.measured(ID);
    },
  };
}

const power = fc.integer({ min: -8, max: 11 }).map((kW) => 1_000 * kW);
const step = fc.oneof(
  fc.record({ do: fc.constant('command' as const), powerW: power, part: fc.constantFrom(1, 1, 0.5, 0, 1.5) }),
  fc.record({ do: fc.constant('accept' as const) }),
  fc.record({ do: fc.constant('refuse' as const) }),
  fc.record({ do: fc.constant('tell' as const) }),
  fc.record({ do: fc.constant('measure' as const), powerW: power }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(100, 500, 2_500, 12_000, 70_000) }),
);

describe('outcomes that are told a little later', () => {
  it('never make a resource count with less than it counts with when they are told at once (property)', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 2, maxLength: 30 }), (steps) => {
        const [now, late] = [resource(), resource()];
        const waiting: CommandOutcome[] = [];
        const flush = () => {
          for (const o of waiting.splice(0)) late.orders.outcome(o);
        };
        /** As links tell: what is expected may wait, everything else is told with what was before. */
        const tell = (o: CommandOutcome, expected: boolean) => {
          now.orders.outcome(o);
          waiting.push(o);
          if (!expected) flush();
        };
        let n = 0;
        let open: { readonly command: PowerCommand; readonly appliedW: number }[] = [];
        let current: PowerCommand | undefined;
        const outcome = (command: PowerCommand, more: Partial<CommandOutcome>): CommandOutcome => {
          const { commandId, resourceId } = command;
          return { commandId, resourceId, at: iso(now.clock.now()), state: 'sent', ...more };
        };
        for (const s of steps) {
          if (s.do === 'command') {
            const validUntil = iso(now.clock.now() + 120_000);
            const kind = 'setpoint' as const;
            const { powerW } = s;
            const command = { commandId: `alloc:${++n}`, resourceId: ID, kind, powerW, validUntil, level: 6 };
            if (now.orders.issue([command]).length + late.orders.issue([command]).length < 2) continue;
            const appliedW = s.part * powerW;
            const sent = outcome(command, { appliedW });
            const counted = late.orders.isCounted(sent);
            expect(counted).toBe(appliedW === powerW);
            tell(sent, counted);
            open.push({ command, appliedW });
          } else if (s.do === 'accept' || s.do === 'refuse') {
            const [first, ...rest] = open;
            if (!first) continue;
            open = rest;
            const { command, appliedW } = first;
            if (s.do === 'refuse') tell(outcome(command, { state: 'refused', code: 'x' }), false);
            else {
              if (current) tell(outcome(current, { state: 'superseded' }), true);
              tell(outcome(command, { state: 'accepted', appliedW }), true);
              current = command;
            }
          } else if (s.do === 'tell') flush();
          else if (s.do === 'measure') for (const w of [now, late]) w.measure(s.powerW);
          else {
            // Nothing waits for longer than two seconds.
            if (s.ms > 2_000) flush();
            for (const w of [now, late]) {
              w.clock.set(w.clock.now() + s.ms);
              w.orders.tick(w.clock.now());
            }
          }
          const [a, b] = [now.orders.present(ID), late.orders.present(ID)];
          expect(b.maxW).toBeGreaterThanOrEqual(a.maxW);
          expect(b.minW).toBeLessThanOrEqual(a.minW);
        }
      }),
      { numRuns: 300 },
    );
  });
});
