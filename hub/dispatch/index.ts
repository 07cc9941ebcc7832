/**
 * What was commanded and what is known to have come of it, per EVSE (design 5, fo 6.4, fo 8.3.8). Limits are kept by
 * counting the worst of everything an EVSE may be doing; accepted is not effective. No clock: `now` is passed in.
 */
import { BoundedMap } from '../../core/bounded.ts';
import { Entry } from './entry.ts';
import type { DispatchCommand, Dispatcher, DispatchSnapshot, PresentPower } from './types.ts';

export type * from './types.ts';

const IDLE: PresentPower = { confirmedW: 0, worstImportW: 0, worstExportW: 0, minW: 0, maxW: 0 };

interface Waiting {
  /** In the order of the run, without what was given by `due`. */
  commands: DispatchCommand[];
  readonly gates: readonly (readonly string[])[];
  /** How many commands at the front of each gate are effective. */
  readonly opened: number[];
}

/** Makes a dispatcher for at most `max` EVSEs; further ones are refused, for forgetting one would be unsafe. */
export function createDispatcher(o: { readonly max: number }): Dispatcher {
  const entries = new BoundedMap<string, Entry>({ name: 'hub.dispatch', max: o.max, overflow: 'refuse' });
  let waiting: Waiting = { commands: [], gates: [], opened: [] };
  let inGates = new Set<string>(); // bounded by: the commands in the gates of one run
  let effective = new Set<string>(); // bounded by: inGates

  const entryOf = (evseId: string): Entry | undefined => {
    const known = entries.get(evseId);
    if (known) return known;
    const made = new Entry();
    return entries.set(evseId, made) ? made : undefined;
  };

  const isOpen = ({ waitsFor = [] }: DispatchCommand): boolean =>
    waitsFor.every(({ gate, count }) => {
      const order = waiting.gates[gate] ?? [];
      let opened = waiting.opened[gate] ?? 0;
      while (opened < order.length && effective.has(order[opened] ?? '')) opened++;
      waiting.opened[gate] = opened;
      return opened >= count;
    });

  return {
    issue(commands, now, gates = []) {
      inGates = new Set(gates.flat()); // bounded by: the commands of one run
      effective = new Set(); // bounded by: inGates
      waiting = { commands: [], gates, opened: [] };
      const refused: string[] = [];
      for (const c of commands) {
        const entry = entryOf(c.evseId);
        if (!entry) refused.push(c.commandId);
        else if (c.waitsFor !== undefined && c.waitsFor.length > 0) waiting.commands.push(c);
        else entry.claim(c, now);
      }
      return refused;
    },

    outcome(outcome) {
      entries.get(outcome.resourceId)?.outcome(outcome);
      if (outcome.state === 'effective' && inGates.has(outcome.commandId)) effective.add(outcome.commandId);
    },

    lost(evseId, { importW, exportW }) {
      entryOf(evseId)?.lost({ minW: 0 - exportW, maxW: importW });
    },

    assume(evseId, range) {
      entryOf(evseId)?.assume(range);
    },

    narrow(evseId, range, young) {
      entryOf(evseId)?.narrow(range, young);
    },

    forget(evseId) {
      entries.delete(evseId);
      waiting.commands = waiting.commands.filter((c) => c.evseId !== evseId);
    },

    present(evseId) {
      return entries.get(evseId)?.present() ?? IDLE;
    },

    expire(now) {
      const ended = waiting.commands.filter((c) => now >= c.validUntil);
      if (ended.length > 0) waiting.commands = waiting.commands.filter((c) => now < c.validUntil);
      const lapsed = [...entries].flatMap(([evseId, entry]) => entry.expire(now).map((l) => ({ evseId, ...l })));
      return [...lapsed, ...ended.map(({ evseId, commandId }) => ({ evseId, commandId, why: 'waited' as const }))];
    },

    due(now) {
      const blocked = new Set<string>(); // bounded by: the commands of one run
      const due: DispatchCommand[] = [];
      waiting.commands = waiting.commands.filter((command) => {
        // Two steps of one EVSE go in their order.
        if (blocked.has(command.evseId) || now >= command.validUntil || !isOpen(command)) {
          blocked.add(command.evseId);
          return true;
        }
        due.push(command);
        return false;
      });
      for (const command of due) entries.get(command.evseId)?.claim(command, now);
      return due;
    },

    snapshot() {
      const list = [...entries].map(([evseId, entry]): DispatchSnapshot => ({ evseId, ...entry.present() }));
      return list.sort((a, b) => (a.evseId < b.evseId ? -1 : 1));
    },

    stats() {
      return entries.stats();
    },
  };
}
