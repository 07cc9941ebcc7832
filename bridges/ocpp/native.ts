import type { WireMessage } from '../../model/index.ts';
import { field } from './effective.ts';
import { BRIDGE_ERRORS } from './errors.ts';
import type { StationBridge } from './station.ts';

/** Actions that change power; only the hub's commands do that here. */
const POWER_ACTIONS = [
  'SetChargingProfile',
  'ClearChargingProfile',
  'UpdateDynamicSchedule',
  'UsePriorityCharging',
  'SetDERControl',
  'ClearDERControl',
  'AFRRSignal',
];

/**
 * Passes a native request on to its station and resolves to the payload of the answer. Rejects with
 * `native.unsupported`, `native.power`, `station.notConnected`, or as the station does (`ocpp.…`).
 */
export async function passThrough(
  message: WireMessage,
  bridgeOf: (identity: string) => StationBridge | undefined,
): Promise<unknown> {
  const { topic, payload, v2gate } = message;
  const [, language, action] = /^(ocpp[\d.]+)\/(\w+)Request$/.exec(topic) ?? [];
  if (language === undefined || action === undefined)
    throw BRIDGE_ERRORS.fail('native.unsupported', `${topic} is not sent to charging stations.`);
  // A remote start may bring its profile along (ocpp 2.3).
  if (POWER_ACTIONS.includes(action) || field(payload, 'chargingProfile') !== undefined)
    throw BRIDGE_ERRORS.fail('native.power', `${action} changes power and is not passed through.`);
  const bridge = bridgeOf(v2gate.peer ?? '');
  if (!bridge?.station.open) {
    const name = v2gate.peer ?? '(none named)';
    throw BRIDGE_ERRORS.fail('station.notConnected', `The station ${name} is not connected.`);
  }
  if (bridge.version !== language)
    throw BRIDGE_ERRORS.fail('native.unsupported', `${bridge.identity} speaks ${bridge.version}, not ${language}.`);
  return bridge.station.callAny(action, payload);
}
