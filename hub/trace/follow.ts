import type { Kept } from './ring.ts';

/** The value that shows what came of a command has to come in this time, ms. */
const MEASURED_MS = 60_000;
/** A value is read out of its message in this time, ms. */
const CARRIED_MS = 20;

/**
 * Everything that belongs to a message, command, batch or service: what led to it by cause, what it led to, and of each
 * resource that was commanded the first meter value after it. `all` in the order of seq. O(number of entries).
 */
export function follow(all: readonly Kept[], key: string): readonly Kept[] {
  const members = new Set<Kept>();
  const roots = all.filter((k) => k.id === key || k.note.cause === key || k.note.fsrIds?.includes(key) === true);
  for (const root of roots) members.add(root);
  addCauses(all, roots, members);
  addEffects(all, new Set([key, ...roots.map((r) => r.id)]), members);
  addMeasured(all, members);
  return all.filter((k) => members.has(k));
}

function addCauses(all: readonly Kept[], roots: readonly Kept[], members: Set<Kept>): void {
  const byId = new Map(all.map((k) => [k.id, k])); // bounded by: the entries
  for (const root of roots) {
    let { cause } = root.note;
    for (let k = cause === undefined ? undefined : byId.get(cause); k !== undefined && !members.has(k); ) {
      members.add(k);
      cause = k.note.cause;
      k = cause === undefined ? undefined : byId.get(cause);
    }
  }
}

/** What is caused comes after its cause, so one walk is enough. */
function addEffects(all: readonly Kept[], ids: Set<string>, members: Set<Kept>): void {
  for (const k of all) {
    const { cause } = k.note;
    if (cause === undefined || !ids.has(cause)) continue;
    members.add(k);
    ids.add(k.id);
  }
}

/** The first value after a station took a command, and the message that brought it. */
function addMeasured(all: readonly Kept[], members: Set<Kept>): void {
  const awaited = new Map<string, number>(); // bounded by: the resources of the members
  const lastFrom = new Map<string, Kept>(); // bounded by: the stations in the entries
  const homes = new Map<string, string>(); // bounded by: the resources of the members
  for (const k of all) {
    const { stage, direction, peer } = k.note;
    // An outcome is judged by a value that has come: it waits for no other.
    const outgoing = stage === 'command' && direction === 'out';
    if (members.has(k) && (outgoing || (stage === 'ocpp' && direction === 'in'))) {
      for (const id of k.resourceIds) {
        awaited.set(id, k.at);
        if (peer !== undefined) homes.set(id, peer);
      }
    }
    if (stage === 'ocpp' && direction === 'in' && peer !== undefined) lastFrom.set(peer, k);
    if (stage !== 'meter') continue;
    for (const id of k.resourceIds) {
      const since = awaited.get(id);
      if (since === undefined) continue;
      awaited.delete(id);
      if (k.at - since > MEASURED_MS) continue;
      members.add(k);
      const carrier = lastFrom.get(k.note.peer ?? homes.get(id) ?? '');
      if (carrier?.note.series !== undefined && k.at - carrier.at <= CARRIED_MS && carrier.resourceIds.includes(id))
        members.add(carrier);
    }
  }
}
