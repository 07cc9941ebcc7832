/** The FO protocol stack: the only door. Designed after the public use cases of IEC 63382-1, own message profile. */

export { isLoopback } from './auth.ts';
export {
  FO_CATALOGUE,
  type FoBodies,
  type FoDirection,
  type FoKind,
  type FoRow,
  type FoType,
  isFoType,
} from './catalogue.ts';
export { createFoClient } from './client.ts';
export { FO_ERRORS, FO_LINK_ERRORS, resultOf } from './errors.ts';
export { createFoBroker } from './mqtt/broker.ts';
export { createFoMqttClient } from './mqtt/client.ts';
export { createFoMqttGateway } from './mqtt/gateway.ts';
export * from './mqtt/types.ts';
export { createFoServer } from './server.ts';
export { createFoSession } from './session/session.ts';
export * from './types.ts';
