import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AllocationResult, allocate, type EvseInput, type SiteInput } from '../../hub/allocation/index.ts';
import { createDispatcher, type DispatchCommand, type Dispatcher } from '../../hub/dispatch/index.ts';
import { limitUse } from '../allocation/check.ts';
import { type Dice, dice, randomSite } from '../allocation/sites.ts';

const seeds = fc.integer({ min: 0, max: 0xffff_ffff });
const SOON = 1_000_000_000;

/** The commands of one run, under ids of their own. */
function toDispatch(result: AllocationResult, run: number): { commands: DispatchCommand[]; gates: string[][] } {
  const id = (i: number) => `${run}:${i}`;
  const commands = result.commands.map(({ evseId, powerW, waitsFor }, i) => ({
    evseId,
    commandId: id(i),
    powerW,
    validUntil: SOON,
    waitsFor,
  }));
  return { commands, gates: result.gates.map((gate) => gate.map(id)) };
}

function withPresent(site: SiteInput, dispatcher: Dispatcher, d: Dice): SiteInput {
  const evses = site.evses.map((e): EvseInput => {
    const { confirmedW, pendingW, minW, maxW } = dispatcher.present(e.evseId);
    return { ...e, presentW: pendingW ?? confirmedW, inFlight: { minW, maxW }, commandRunning: d.chance(0.1) };
  });
  const { target } = site;
  return target
    ? { ...site, evses, target: { ...target, setpointW: target.setpointW * (d.next() * 3 - 1) } }
    : { ...site, evses };
}

describe('allocator and dispatcher together', () => {
  it('keep the worst case of all EVSEs within every limit, whatever becomes of the commands', () => {
    let released = 0;
    let runs = 0;
    fc.assert(
      fc.property(seeds, (seed) => {
        const d = dice(seed);
        const site = randomSite(d, { special: false, groups: false });
        const { ess: _, ...plain } = site;
        const dispatcher = createDispatcher({ max: 100 });
        const open: DispatchCommand[] = [];
        const excused = new Set<string>();
        for (let step = 0; step < 40; step++) {
          if (step % 10 === 0) {
            const result = allocate(withPresent(plain, dispatcher, d));
            for (const alarm of result.alarms) excused.add(alarm.nodeId);
            for (const nodeId of result.transient) excused.add(nodeId);
            const { commands, gates } = toDispatch(result, runs++);
            dispatcher.issue(commands, step, gates);
            open.push(...commands.filter((c) => (c.waitsFor ?? []).length === 0));
          } else {
            const [command] = open.splice(d.int(0, Math.max(0, open.length - 1)), 1);
            const state = d.pick([
              'effective',
              'effective',
              'effective',
              'accepted',
              'refused',
              'sent',
              'superseded',
            ] as const);
            if (command) dispatcher.outcome({ ...command, resourceId: command.evseId, state }, step);
            const due = dispatcher.due(step);
            released += due.length;
            open.push(...due);
          }
          for (const use of limitUse(plain, 0, (e) => dispatcher.present(e.evseId))) {
            if (!excused.has(use.nodeId) && use.limit >= 0) {
              expect(use.used, `${use.nodeId} ${use.direction} at ${step}`).toBeLessThanOrEqual(use.limit + 0.01);
            }
          }
        }
      }),
      { numRuns: 400 },
    );
    expect(released).toBeGreaterThan(60);
  });
});
