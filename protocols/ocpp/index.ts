/** OCPP-J for 1.6, 2.0.1 and 2.1, both roles. The one public door of this folder. */
export type { BackOff } from './backoff.ts';
export { backOffMs, DEFAULT_BACKOFF } from './backoff.ts';
export type { OcppClient, OcppClientOptions } from './client.ts';
export { createOcppClient } from './client.ts';
export type { SessionConfig, SessionLimits, SessionOptions } from './config.ts';
export { DEFAULT_LIMITS, sessionConfig } from './config.ts';
export type { Transport } from './connection.ts';
export { Connection } from './connection.ts';
export { Counts } from './counts.ts';
export type { Done, Effect, Report } from './effects.ts';
export type { OcppErrorCode, RpcCode } from './errors.ts';
export { callError, isRpcCode, OCPP_ERRORS, RPC_CODES, rpcCodeOf, wireCode } from './errors.ts';
export { dispatch } from './handlers.ts';
export type { Credentials, Remote } from './handshake.ts';
export { type JsonSchema, readSchemas } from './schemas.ts';
export type { Admission, OcppServer, OcppServerOptions } from './server.ts';
export { createOcppServer } from './server.ts';
export { createSession, Session } from './session.ts';
export { ocppTime } from './tolerance.ts';
export type {
  Action,
  CallAbout,
  CallContext,
  CallOptions,
  CallsOf,
  CloseInfo,
  Handler,
  Handlers,
  Peer,
  PeerIn,
  PeerOf,
  Priority,
  Request,
  Response,
  SendAction,
  SendsOf,
  Station,
  TappedMessage,
} from './types.ts';
export type { ActionInfo, Role, Validators, Violation } from './validators.ts';
export { createValidators } from './validators.ts';
export type { Part, Version, VersionRow } from './versions.ts';
export { isVersion, VERSIONS } from './versions.ts';
