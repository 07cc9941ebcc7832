/** The FO protocol stack: the only door. Designed after the public use cases of IEC 63382-1, own message profile. */
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
export { createFoServer } from './server.ts';
export { createFoSession } from './session/session.ts';
export * from './types.ts';
