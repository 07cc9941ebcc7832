import { HUB_MESSAGES, type WireMessage } from '../../model/index.ts';
import { HUB_ERRORS } from '../errors.ts';
import { refused } from '../services/results.ts';
import type { Rooms } from './rooms.ts';
import type { Decision } from './types.ts';

/** Hands a request of a party to the room that decides about it. */
export async function decideFor(rooms: Rooms, message: WireMessage, foId: string): Promise<Decision> {
  switch (message.topic) {
    case 'hub/RequestService':
      return rooms.desk.request(message, foId);
    case 'hub/UpdateSetpoint':
      return rooms.desk.setpoint(message, foId);
    case 'hub/CancelService':
      return rooms.desk.cancel(message, foId);
    case 'hub/QueryResources':
      return { result: rooms.publication.query(message.payload, foId) };
    case 'hub/AmendService':
      return rooms.desk.amend(message, foId);
    case 'hub/ActivateService':
      return rooms.desk.activate(message, foId);
    case 'hub/OptChoice':
      return { result: await rooms.optDesk.choose(message.payload, foId, foId) };
    case 'hub/SubscribeTelemetry':
      return { result: rooms.telemetry.take(message.payload, foId) };
    case 'hub/QueryEvents':
      return { result: await rooms.evidence.queryEvents(foId, HUB_MESSAGES.QueryEvents.accept(message.payload)) };
    case 'hub/QueryRecords':
      return { result: await rooms.evidence.queryRecords(foId, HUB_MESSAGES.QueryRecords.accept(message.payload)) };
    default:
      return { result: refused(HUB_ERRORS.fail('message.unknown', `${message.topic} is not decided by a site.`)) };
  }
}
