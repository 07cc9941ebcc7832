import type { StationStatus, WireMessage } from '../../model/index.ts';
import type { Version } from '../../protocols/ocpp/index.ts';
import type { Channel } from './channel.ts';

/** Where messages of a link come from. */
export interface WireSource {
  readonly newId: () => string;
  /** The time of now as text. */
  readonly stamp: () => string;
  readonly linkId: string;
}

/** A message of a link as it goes to the site and over wires. */
export function wireMessage<T extends string, P>(
  { newId, stamp, linkId }: WireSource,
  topic: T,
  payload: P,
  peer: string | undefined,
  cause?: string,
): WireMessage & { readonly topic: T; readonly payload: P } {
  const v2gate: WireMessage['v2gate'] = { id: newId(), at: stamp(), link: linkId };
  if (peer !== undefined) v2gate.peer = peer;
  if (cause !== undefined) v2gate.cause = cause;
  return { topic, payload, v2gate };
}

/** What the link says about the state of an EVSE. */
export function statusMessage(
  wire: WireSource,
  { defaultW, resource }: Channel,
  state: StationStatus['state'],
  version: Version | undefined,
): WireMessage {
  const { identity, offlineImportW, resourceId } = resource;
  const payload: StationStatus = {
    resourceId,
    at: wire.stamp(),
    state,
    ...(version === undefined ? {} : { protocol: version }),
    // Without a default that is known to be there, nothing else holds it.
    offlineImportW: defaultW ?? offlineImportW,
  };
  return wireMessage(wire, 'hub/StationStatus', payload, identity);
}

/** The resource that a message is about. */
export function resourceIdOf(payload: unknown): string | undefined {
  const id = typeof payload === 'object' && payload !== null ? Reflect.get(payload, 'resourceId') : undefined;
  return typeof id === 'string' ? id : undefined;
}
