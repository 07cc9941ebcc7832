import type { Version } from '../../protocols/ocpp/index.ts';
import { type Channel, runningOf, type Token } from './channel.ts';

/** Watts that rounding may take away. */
const ROUNDING_W = 1;

/**
 * What an EVSE that can only be on or off does with a grant of `appliedW`: all that it can, where that is within the
 * grant, else nothing.
 */
export const switchedW = ({ resource }: Channel, appliedW: number): number =>
  appliedW >= resource.maxImportW - ROUNDING_W ? resource.maxImportW : 0;

/** The call that switches; undefined where nothing has to be said: no session runs, or one runs already. */
export function switchCall(
  version: Version,
  channel: Channel,
  off: boolean,
): { readonly action: string; readonly payload: unknown } | undefined {
  const transactionId = runningOf(channel);
  if (off) {
    if (transactionId === undefined) return undefined;
    const action = version === 'ocpp1.6' ? 'RemoteStopTransaction' : 'RequestStopTransaction';
    return { action, payload: { transactionId } };
  }
  if (transactionId !== undefined || channel.status !== 'connected') return undefined;
  // Only the driver who was stopped goes on.
  if (channel.idToken === undefined || channel.left === true) return undefined;
  return startCall(version, channel.resource.evse, channel.idToken, 0);
}

/** A remote start without a profile: what it may draw is told when the session begins. */
export function startCall(
  version: Version,
  evse: number | undefined,
  token: Token,
  remoteStartId: number,
): { readonly action: string; readonly payload: unknown } {
  if (version === 'ocpp1.6') {
    const where = evse === undefined ? {} : { connectorId: evse };
    return { action: 'RemoteStartTransaction', payload: { idTag: token.idToken, ...where } };
  }
  const where = evse === undefined ? {} : { evseId: evse };
  return { action: 'RequestStartTransaction', payload: { idToken: { ...token }, remoteStartId, ...where } };
}
