import type { Issue, V2gateError } from '../../core/errors.ts';
import { errorTable } from '../../core/errors.ts';
import type { Version } from './versions.ts';
import { VERSIONS } from './versions.ts';

/** CALLERROR codes, in the spelling of 2.x (ocpp 1.4). */
export type RpcCode =
  | 'NotImplemented'
  | 'NotSupported'
  | 'InternalError'
  | 'GenericError'
  | 'SecurityError'
  | 'ProtocolError'
  | 'FormatViolation'
  | 'PropertyConstraintViolation'
  | 'OccurrenceConstraintViolation'
  | 'TypeConstraintViolation'
  | 'MessageTypeNotSupported'
  | 'RpcFrameworkError';

/** Errors of the OCPP stack. Those with `protocol` stand for a CALLERROR, received or to be sent (ocpp 1.4). */
export const OCPP_ERRORS = errorTable('ocpp', {
  'ocpp.notImplemented': {
    what: 'The action is not known.',
    remedy: 'Use an action of the OCPP version that was negotiated.',
    retry: 'no',
    protocol: 'NotImplemented',
  },
  'ocpp.notSupported': {
    what: 'The action is known but not supported.',
    remedy: 'Do without this action for this station.',
    retry: 'no',
    protocol: 'NotSupported',
  },
  'ocpp.internal': {
    what: 'The answering side failed to process the call.',
    remedy: 'Look into the log of the answering side; one retry may help.',
    retry: 'later',
    protocol: 'InternalError',
  },
  'ocpp.generic': {
    what: 'The call failed for a reason that OCPP has no code for.',
    remedy: 'Read the description in the log.',
    retry: 'no',
    protocol: 'GenericError',
  },
  'ocpp.security': {
    what: 'The call was refused for security reasons.',
    remedy: 'Wait until the boot is accepted; check credentials and security profile.',
    retry: 'afterFix',
    protocol: 'SecurityError',
  },
  'ocpp.protocol': {
    what: 'The payload does not fit the message.',
    remedy: 'Send the payload as the schema of the negotiated version says.',
    retry: 'afterFix',
    protocol: 'ProtocolError',
  },
  'ocpp.format': {
    what: 'The message is not well formed.',
    remedy: 'Send JSON arrays as OCPP-J lays them out.',
    retry: 'afterFix',
    protocol: 'FormatViolation',
  },
  'ocpp.property': {
    what: 'A value in the payload is not allowed.',
    remedy: 'Correct the field that is named.',
    retry: 'afterFix',
    protocol: 'PropertyConstraintViolation',
  },
  'ocpp.occurrence': {
    what: 'An element of the payload is missing or surplus.',
    remedy: 'Add or remove the field that is named.',
    retry: 'afterFix',
    protocol: 'OccurrenceConstraintViolation',
  },
  'ocpp.type': {
    what: 'A value in the payload has the wrong JSON type.',
    remedy: 'Correct the type of the field that is named.',
    retry: 'afterFix',
    protocol: 'TypeConstraintViolation',
  },
  'ocpp.messageType': {
    what: 'The message type number is not known.',
    remedy: 'Send only message types of the negotiated version.',
    retry: 'no',
    protocol: 'MessageTypeNotSupported',
  },
  'ocpp.framework': {
    what: 'The frame is not a valid OCPP-J message.',
    remedy: 'Send JSON arrays as OCPP-J lays them out, with a string as id.',
    retry: 'afterFix',
    protocol: 'RpcFrameworkError',
  },
  'ocpp.timeout': {
    what: 'The peer did not answer in time.',
    remedy: 'It may have acted nevertheless: read its state before repeating the call.',
    retry: 'later',
  },
  'ocpp.queueFull': {
    what: 'Too many calls wait for this peer.',
    remedy: 'Send less often; give a replaceKey to calls of which only the newest matters.',
    retry: 'later',
  },
  'ocpp.superseded': {
    what: 'A newer call with the same key took the place of this one before it was sent.',
    remedy: 'Nothing to do: the newer call counts.',
    retry: 'no',
  },
  'ocpp.expired': {
    what: 'The call waited in the queue until it was no longer valid and was not sent.',
    remedy: 'Send a new call if the matter still stands.',
    retry: 'afterFix',
  },
  'ocpp.closed': {
    what: 'The connection ended before the answer came.',
    remedy: 'Wait for the peer to reconnect and read its state before repeating the call.',
    retry: 'later',
  },
  'ocpp.replaced': {
    what: 'A newer connection with the same identity replaced this one.',
    remedy: 'Use the new connection; if this repeats, two stations share one identity.',
    retry: 'later',
  },
  'ocpp.invalidRequest': {
    what: 'The payload does not fit the schema of the negotiated version and was not sent.',
    remedy: 'Correct the field that is named.',
    retry: 'afterFix',
  },
  'ocpp.invalidAnswer': {
    what: 'The peer answered with a payload that does not fit the schema.',
    remedy: 'Report it to the vendor; treat the outcome of the call as unknown.',
    retry: 'no',
  },
  'ocpp.noSend': {
    what: 'This OCPP version has no unanswered messages (SEND).',
    remedy: 'Use a CALL, or a peer that speaks OCPP 2.1.',
    retry: 'no',
  },
  'ocpp.slowPeer': {
    what: 'The peer does not read what it is sent.',
    remedy: 'Check its network; it may connect again.',
    retry: 'later',
  },
  'ocpp.idle': {
    what: 'The peer stopped answering pings.',
    remedy: 'Check its network; it may connect again.',
    retry: 'later',
  },
  'ocpp.tooLarge': {
    what: 'The frame is larger or deeper than allowed.',
    remedy: 'Send the content in several messages.',
    retry: 'afterFix',
    protocol: 'GenericError',
  },
  'ocpp.tooManyOpen': {
    what: 'The peer opened more calls at once than this side takes.',
    remedy: 'Wait for the answer to a call before sending the next.',
    retry: 'later',
    protocol: 'GenericError',
  },
  'ocpp.badAddress': {
    what: 'The request path holds no usable station identity.',
    remedy: 'Connect to <endpoint>/<identity>, percent-encoded, at most 48 characters, without a colon.',
    retry: 'afterFix',
  },
  'ocpp.unknownStation': {
    what: 'The other side does not know this identity (HTTP 404).',
    remedy: 'Register the station or correct its identity.',
    retry: 'afterFix',
  },
  'ocpp.unauthorized': {
    what: 'The credentials were refused (HTTP 401).',
    remedy: 'Correct the password or the certificate.',
    retry: 'afterFix',
  },
  'ocpp.noVersion': {
    what: 'The two sides have no OCPP version in common.',
    remedy: 'Allow one of the versions that the station offers.',
    retry: 'afterFix',
  },
  'ocpp.notConnected': {
    what: 'There is no connection at the moment.',
    remedy: 'Wait for the connection; it is retried by itself.',
    retry: 'later',
  },
  'ocpp.connectFailed': {
    what: 'The connection could not be opened.',
    remedy: 'Check the address and the network; it is retried by itself.',
    retry: 'later',
  },
  'ocpp.insecure': {
    what: 'An OCPP server on a public address needs TLS and credentials.',
    remedy:
      'Set tls and authenticate, listen on 127.0.0.1, or set allowInsecure and accept that anybody may pose as a station.',
    retry: 'afterFix',
  },
});

export type OcppErrorCode = keyof typeof OCPP_ERRORS.kinds;

const KIND_OF: Readonly<Record<RpcCode, OcppErrorCode>> = {
  NotImplemented: 'ocpp.notImplemented',
  NotSupported: 'ocpp.notSupported',
  InternalError: 'ocpp.internal',
  GenericError: 'ocpp.generic',
  SecurityError: 'ocpp.security',
  ProtocolError: 'ocpp.protocol',
  FormatViolation: 'ocpp.format',
  PropertyConstraintViolation: 'ocpp.property',
  OccurrenceConstraintViolation: 'ocpp.occurrence',
  TypeConstraintViolation: 'ocpp.type',
  MessageTypeNotSupported: 'ocpp.messageType',
  RpcFrameworkError: 'ocpp.framework',
};

/** All CALLERROR codes in the spelling of 2.x. */
export const RPC_CODES: readonly RpcCode[] = Object.keys(KIND_OF).filter(isRpcCode);

/** Spellings of 1.6, and the mistakes that libraries make with them. */
const SPELLINGS: Readonly<Record<string, RpcCode>> = {
  FormationViolation: 'FormatViolation',
  OccurenceConstraintViolation: 'OccurrenceConstraintViolation',
};

/** 1.6 has its own names for two codes and none for two others (ocpp 1.4). */
const OLD_NAMES: Readonly<Partial<Record<RpcCode, string>>> = {
  FormatViolation: 'FormationViolation',
  OccurrenceConstraintViolation: 'OccurenceConstraintViolation',
  MessageTypeNotSupported: 'FormationViolation',
  RpcFrameworkError: 'FormationViolation',
};

export function isRpcCode(code: string): code is RpcCode {
  return Object.hasOwn(KIND_OF, code);
}

/** The code as the version spells it on the wire (ocpp 1.4). */
export function wireCode(version: Version, code: RpcCode): string {
  return VERSIONS[version].oldErrorNames ? (OLD_NAMES[code] ?? code) : code;
}

/** The code behind any spelling; unknown codes count as GenericError. */
export function rpcCodeOf(onWire: string): RpcCode {
  if (isRpcCode(onWire)) return onWire;
  return Object.hasOwn(SPELLINGS, onWire) ? (SPELLINGS[onWire] ?? 'GenericError') : 'GenericError';
}

/** The error that stands for a CALLERROR of this code. Thrown by a handler it becomes that CALLERROR. */
export function callError(code: RpcCode, what?: string, details?: readonly Issue[]): V2gateError {
  return OCPP_ERRORS.fail(KIND_OF[code], what, details === undefined ? {} : { details });
}

/** The CALLERROR for whatever a handler threw. Only sentences of our own errors leave the process. */
export function toCallError(e: unknown): { code: RpcCode; description: string } {
  const cause = typeof e === 'object' && e !== null && 'cause' in e ? e.cause : undefined;
  if (typeof cause === 'object' && cause !== null && 'protocol' in cause && 'what' in cause) {
    const { protocol, what } = cause;
    if (typeof protocol === 'string' && typeof what === 'string' && isRpcCode(protocol)) {
      return { code: protocol, description: what };
    }
  }
  return { code: 'InternalError', description: 'The message could not be processed.' };
}
