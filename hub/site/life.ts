import type { Clock } from '../../core/clock.ts';
import type { CommandBatch, CommandOutcome, SiteFile } from '../../model/index.ts';
import { resourcesOf } from '../fleet/resources.ts';
import type { Rooms } from './rooms.ts';
import { VALIDITY_MS } from './standing.ts';

/** Reads back what was there before a restart, in the order in which one room needs the other. */
export async function restoreRooms(rooms: Rooms, clock: Clock, takeOver: () => void): Promise<void> {
  await rooms.stations.restore();
  await rooms.limitDesk.restore();
  await rooms.needs.restore();
  await rooms.publication.restore();
  await rooms.useDesk.restore();
  await rooms.desk.restore();
  await rooms.congestion.restore();
  await rooms.evidence.restore();
  takeOver();
  await rooms.optDesk.restore();
  rooms.congestion.look();
  await recallOrders(rooms, clock);
}

/** Who was led until just before the restart. */
async function recallOrders({ envelope, ledger, orders }: Rooms, clock: Clock): Promise<void> {
  const since = clock.now() - VALIDITY_MS;
  // A batch has all that a run told: where outcomes are many, those of two minutes are more than are read.
  for (const { at, body } of await ledger.recent('batch', since))
    for (const { resourceId } of (body as Pick<CommandBatch, 'commands'>).commands) orders.ledBefore(resourceId, at);
  for (const { at, body } of await ledger.recent('outcome', since)) {
    const { resourceId } = body as CommandOutcome;
    orders.ledBefore(resourceId, at);
  }
  envelope.refresh();
}

/** Takes over a site file, or a station that was let in. */
export function configureRooms(rooms: Rooms, file: SiteFile): void {
  rooms.stations.configure(file);
  rooms.book.configure(file);
  rooms.orders.configure(rooms.twin.configure(resourcesOf(file, rooms.stations.accepted())));
  rooms.meters.configure();
  rooms.actuation.configure();
  rooms.envelope.renew();
}

/** The link of a party is up: what it has to know is told (fo 7). */
export function partyUp({ clocks, evidence, publication }: Rooms, foId: string, clockOffsetMs?: number): void {
  if (clockOffsetMs !== undefined) {
    clocks.take(foId, clockOffsetMs, true);
    evidence.clockOffset(foId, clockOffsetMs);
  }
  publication.up(foId);
  evidence.note({ kind: 'link.up', severity: 'info', subject: [foId], parties: [foId] });
}

export function partyDown({ evidence, publication }: Rooms, foId: string, reason: string): void {
  publication.down(foId);
  const cause = reason.slice(0, 128);
  evidence.note({ kind: 'link.down', severity: 'warning', subject: [foId], parties: [foId], cause });
}

/** Ends what runs: evidence and ledger write what is open first. */
export async function closeRooms(rooms: Rooms): Promise<void> {
  rooms.telemetry.close();
  rooms.publication.close();
  await rooms.evidence.close();
  await rooms.ledger.close();
  rooms.supervisor.close();
  rooms.optDesk.close();
  rooms.congestion.close();
  rooms.envelope.close();
  rooms.changes.close();
}
