import { type Durability, RECORD_KINDS, type RecordKind, type StoreOp } from '../../hub/ports.ts';
import { STORE_ERRORS } from './errors.ts';

/** A checked operation; the body is already text, so that later changes of the caller's object do not reach the store. */
export type PreparedOp =
  | {
      readonly op: 'put' | 'append';
      readonly kind: RecordKind;
      readonly key: string;
      readonly at: number;
      readonly body: string;
    }
  | { readonly op: 'delete'; readonly kind: RecordKind; readonly key: string };

/** Operations in one atomic write; more would block the event loop for too long. */
export const MAX_OPS = 1000;
const MAX_KEY = 512;
const MAX_BODY = 2 ** 20;

/** Checks and freezes the operations of one write. Throws `store.invalid`. */
export function prepareOps(ops: readonly StoreOp[]): readonly PreparedOp[] {
  if (ops.length > MAX_OPS) throw invalid(`One write takes up to ${MAX_OPS} operations, not ${ops.length}.`);
  return ops.map(prepareOp);
}

/** Throws `store.invalid` when the kind is not in the table of design 5. */
export function checkKind(kind: string): asserts kind is RecordKind {
  if (!Object.hasOwn(RECORD_KINDS, kind)) throw invalid(`There is no record kind "${String(kind).slice(0, 40)}".`);
}

/**
 * How durable a write must be before it is acknowledged: the strictest class of its kinds. An `append` is never
 * acknowledged unseen (class C becomes B), because it may be refused.
 */
export function durabilityOf(ops: readonly PreparedOp[]): Durability {
  const classes = ops.map((o): Durability => RECORD_KINDS[o.kind]);
  if (classes.includes('A')) return 'A';
  return classes.includes('B') || ops.some((o) => o.op === 'append') ? 'B' : 'C';
}

/** True when the write touches a record of class C, for which something may still wait to be written. */
export function touchesDeferred(ops: readonly PreparedOp[]): boolean {
  return ops.some((o) => RECORD_KINDS[o.kind] === 'C');
}

function prepareOp(op: StoreOp): PreparedOp {
  const { kind, key } = op;
  checkKind(kind);
  if (typeof key !== 'string' || key.length < 1 || key.length > MAX_KEY || !key.isWellFormed() || key.includes('\0')) {
    throw invalid(`A key of ${kind} must be 1 to ${MAX_KEY} characters of well-formed text without NUL.`);
  }
  if (op.op === 'delete') return { op: 'delete', kind, key };
  if (op.op !== 'put' && op.op !== 'append') throw invalid(`There is no operation "${String(op.op).slice(0, 40)}".`);
  if (!Number.isSafeInteger(op.at))
    throw invalid(`The time of ${kind} ${key} must be whole milliseconds, not ${op.at}.`);
  return { op: op.op, kind, key, at: op.at, body: toText(op.body, `${kind} ${key}`) };
}

function toText(body: unknown, label: string): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(body);
  } catch (e) {
    throw invalid(`The body of ${label} is not JSON: ${e instanceof Error ? e.message : 'it cannot be written'}.`);
  }
  if (text === undefined) throw invalid(`The body of ${label} is not JSON.`);
  if (text.length > MAX_BODY) throw invalid(`The body of ${label} is longer than ${MAX_BODY} characters.`);
  return text;
}

function invalid(what: string): Error {
  return STORE_ERRORS.fail('store.invalid', what);
}
