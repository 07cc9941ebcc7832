import { type Clock, iso } from '../../core/clock.ts';
import { codeOf, describeError } from '../../core/errors.ts';
import { toId } from '../../core/ids.ts';
import type { StationOrder, StationOrderOutcome } from '../../model/index.ts';
import type { EventNote } from '../evidence/types.ts';
import type { ActuatingLink, TracePort } from '../ports.ts';

export interface OrderRooms {
  readonly clock: Clock;
  readonly links: readonly ActuatingLink[];
  readonly note: (event: EventNote) => void;
  readonly trace: TracePort | undefined;
}

/** Gives an order to the link that has the station; the event log says who wanted it and what came of it. Never rejects. */
export async function orderStation(rooms: OrderRooms, order: StationOrder, by: string): Promise<StationOrderOutcome> {
  const { clock, links, note, trace } = rooms;
  const { orderId, resourceId, identity, action } = order;
  const resourceIds = resourceId === undefined ? [] : [resourceId];
  const about = { stage: 'command', peer: identity, resourceIds } as const;
  trace?.note({ ...about, direction: 'out', topic: 'hub/StationOrder', id: orderId, payload: order });
  const outcome = await carryOut(links, order).catch((e: unknown) => refused(codeOf(e), describeError(e).what));
  const full: StationOrderOutcome = {
    orderId,
    identity: identity ?? '',
    action,
    at: iso(clock.now()),
    ...outcome,
  };
  trace?.note({ ...about, direction: 'in', topic: 'hub/StationOrderOutcome', cause: orderId, payload: full });
  const why = full.reason === undefined ? '' : `: ${full.reason}`;
  note({
    kind: 'station.ordered',
    severity: full.state === 'rejected' ? 'warning' : 'info',
    subject: [toId(resourceId ?? identity ?? 'unknown')],
    cause: full.state,
    text: `${action} by ${by.slice(0, 64)}: ${full.state}${why}`.slice(0, 256),
  });
  return full;
}

type Answer = Pick<StationOrderOutcome, 'state'> & Partial<StationOrderOutcome>;

async function carryOut(links: readonly ActuatingLink[], order: StationOrder): Promise<Answer> {
  for (const link of links) {
    const answer = link.order?.(order);
    if (answer !== undefined) return answer;
  }
  return refused('station.notConnected', 'The station is not connected.');
}

const refused = (code = 'internal.permanent', reason: string): Answer => ({
  state: 'rejected',
  code,
  reason: reason.slice(0, 256),
});
