import { OCPP_ERRORS } from './errors.ts';
import type { CallContext, Handler, Handlers } from './types.ts';
import type { Version } from './versions.ts';

type Untyped<V extends Version> = (payload: unknown, ctx: CallContext<V>) => unknown;

/**
 * Makes one handler of a table with a typed function per action. The session answers actions that the version does not
 * have with NotImplemented; an action that it has and the table has not is answered with `missing` (ocpp 1.4).
 * The session has checked each payload against the schema that its type was made from.
 */
export function dispatch<V extends Version>(
  _version: V,
  table: NoInfer<Handlers<V>>,
  missing: 'ocpp.notImplemented' | 'ocpp.notSupported' = 'ocpp.notImplemented',
): Handler<V> {
  const rows = Object.entries<unknown>(table).filter(
    (row): row is [string, Untyped<V>] => typeof row[1] === 'function',
  );
  const byAction = new Map(rows); // bounded by: the actions of the table
  return (action, payload, ctx) => {
    const handler = byAction.get(action);
    if (handler === undefined) throw OCPP_ERRORS.fail(missing, `${action} is not answered here.`);
    return handler(payload, ctx);
  };
}
