import type { V2gateError } from '../../core/errors.ts';
import type { RpcCode } from './errors.ts';

/** Told once how a call ended. */
export type Done = (error: V2gateError | undefined, payload: unknown) => void;

/** Something out of the ordinary, for logs and counts. */
export interface Report {
  readonly what:
    | 'badFrame'
    | 'unknownType'
    | 'refusedCall'
    | 'duplicateCall'
    | 'lateAnswer'
    | 'unknownAnswer'
    | 'invalidAnswer'
    | 'peerError'
    | 'answerRefused'
    | 'invalidOwnAnswer'
    | 'handlerTimeout'
    | 'lateHandler'
    | 'badSend'
    | 'queueFull';
  readonly action?: string;
  readonly id?: string;
  /** CALLERROR code in the spelling of 2.x. */
  readonly code?: RpcCode;
  readonly detail?: string;
}

export interface HandleEffect {
  readonly kind: 'handle';
  readonly id: string;
  readonly action: string;
  readonly payload: unknown;
  /** True for a SEND, which needs no answer. */
  readonly send: boolean;
}

/** What the shell has to do, in this order. */
export type Effect =
  | { readonly kind: 'write'; readonly text: string; readonly sent?: () => void }
  /** Hand a message to the handler; a CALL is then answered through `respond` or `fail` with its id. */
  | HandleEffect
  | {
      readonly kind: 'settle';
      readonly done: Done;
      readonly error: V2gateError | undefined;
      readonly payload: unknown;
    }
  | { readonly kind: 'close'; readonly code: number; readonly reason: string }
  | { readonly kind: 'report'; readonly report: Report };

export const NONE: readonly Effect[] = [];

export function write(text: string, sent?: () => void): Effect {
  return sent === undefined ? { kind: 'write', text } : { kind: 'write', text, sent };
}

export function settle(done: Done, error: V2gateError | undefined, payload?: unknown): Effect {
  return { kind: 'settle', done, error, payload };
}

/** Ids and names of the peer are cut: they go into logs. */
export function report(r: Report): Effect {
  const { id, action } = r;
  const long = (id !== undefined && id.length > 64) || (action !== undefined && action.length > 64);
  if (!long) return { kind: 'report', report: r };
  const cut = {
    ...(id === undefined ? {} : { id: id.slice(0, 64) }),
    ...(action === undefined ? {} : { action: action.slice(0, 64) }),
  };
  return { kind: 'report', report: { ...r, ...cut } };
}
