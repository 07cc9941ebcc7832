import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { NodeAPI } from 'node-red';
import { NODE_ERRORS } from '../../base/errors.ts';
import { controllerOf, runtimeOf } from '../../base/host.ts';
import { answer, type Request, sendFiles } from '../../base/http.ts';
import type { RecentMessage } from '../recent.ts';
import { type CheckRequest, checkMapping } from './check.ts';
import { libraryOf, mappingOf, newMapping, samplesOf } from './library.ts';
import { oneAtATime } from './turns.ts';

const FILES = join(import.meta.dirname, '..', 'editor');
/** Checks that run or wait for their turn. */
const MAX_CHECKS = 8;
const MAX_NAME = 300;

/** Serves the workbench of the `map` node to the editor, below `v2gate/map/`, to those who may use the editor. */
export function serveWorkbench(RED: Pick<NodeAPI, 'httpAdmin' | 'auth' | 'nodes' | 'settings'>): void {
  const { httpAdmin, auth } = RED;
  const look = auth.needsPermission('v2gate-map.read');
  const work = auth.needsPermission('v2gate-map.write');
  const check = oneAtATime(MAX_CHECKS, async (request: CheckRequest) => {
    const { mappings, clock, stopwatch } = runtimeOf(RED);
    return checkMapping(request, mappings.schemas, stopwatch ?? (() => clock.now()), () => setImmediate());
  });
  httpAdmin.get('/v2gate/map/editor/:file', sendFiles(FILES));
  httpAdmin.get(
    '/v2gate/map/library',
    look,
    answer(() => libraryOf(runtimeOf(RED))),
  );
  httpAdmin.get(
    '/v2gate/map/mapping',
    look,
    answer((req) => mappingOf(runtimeOf(RED), queried(req, 'path'))),
  );
  httpAdmin.get(
    '/v2gate/map/skeleton',
    look,
    answer((req) => newMapping(runtimeOf(RED), queried(req, 'from'), queried(req, 'to'))),
  );
  httpAdmin.get(
    '/v2gate/map/samples',
    look,
    answer((req) => ({ samples: samplesOf(runtimeOf(RED), queried(req, 'from'), queried(req, 'path')) })),
  );
  httpAdmin.get(
    '/v2gate/map/messages/:id',
    look,
    answer((req) => ({ messages: recentOf(controllerOf(RED, req.params.id)) })),
  );
  httpAdmin.post(
    '/v2gate/map/check',
    work,
    answer((req) => check(requestOf(req.body))),
  );
}

function queried(req: Request, name: string): string {
  const value: unknown = req.query[name];
  if (typeof value === 'string' && value.length <= MAX_NAME) return value;
  throw NODE_ERRORS.fail('nodes.request', `The request must name ${name} with at most ${MAX_NAME} characters.`);
}

function requestOf(body: unknown): CheckRequest {
  const text = (name: string): string | undefined => {
    const value: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined;
    if (value === undefined || typeof value === 'string') return value;
    throw NODE_ERRORS.fail('nodes.request', `${name} must be a text.`);
  };
  const [from, to] = [text('from'), text('to')];
  return {
    text: text('text') ?? '',
    input: text('input') ?? 'null',
    ctx: text('ctx') ?? '',
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    runSlow: text('runSlow') === 'yes',
  };
}

/** The node may be new (not deployed yet), of another kind, or broken. */
function recentOf(controller: unknown): readonly RecentMessage[] {
  const recent: unknown =
    typeof controller === 'object' && controller !== null ? Reflect.get(controller, 'recent') : [];
  return typeof recent === 'function' ? (recent.call(controller) as readonly RecentMessage[]) : [];
}
