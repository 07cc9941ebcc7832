import { join } from 'node:path';
import type { NodeAPI } from 'node-red';
import { NODE_ERRORS } from '../base/errors.ts';
import { controllerOf } from '../base/host.ts';
import { answer, type Request, sendFiles } from '../base/http.ts';
import { isLinkHolder } from '../base/link-holder.ts';
import { isSiteHolder } from '../base/site-holder.ts';
import { isVirtual, type Switch, type Virtual } from '../virtual/controller.ts';
import type { StageState } from '../virtual/stage.ts';
import { type SiteFacts, siteFacts } from './site-facts.ts';

const FILES = import.meta.dirname;

/** What a dialog shows under *Now*. */
export interface Now {
  readonly state: 'ok' | 'waiting' | 'bad';
  readonly text: string;
}

/** Serves the dialogs of the nodes, below `v2gate/editor/`: their code, and what they know of the running site. */
export function serveDialogs(RED: Pick<NodeAPI, 'httpAdmin' | 'auth' | 'nodes'>): void {
  const look = RED.auth.needsPermission('v2gate-editor.read');
  RED.httpAdmin.get('/v2gate/editor/:file', sendFiles(join(FILES, 'browser')));
  RED.httpAdmin.get(
    '/v2gate/editor/site/:id',
    look,
    answer((req) => factsOf(controllerOf(RED, req.params.id))),
  );
  RED.httpAdmin.get(
    '/v2gate/editor/now/:id',
    look,
    answer((req) => nowOf(controllerOf(RED, req.params.id))),
  );
  RED.httpAdmin.get(
    '/v2gate/virtual/:id',
    look,
    answer((req) => stageOf(controllerOf(RED, req.params.id))),
  );
  RED.httpAdmin.post(
    '/v2gate/virtual/:id',
    RED.auth.needsPermission('v2gate-virtual.write'),
    answer((req) => order(virtualOf(controllerOf(RED, req.params.id)), req)),
  );
}

/** A node may be new, and its site may be closed: then there is nothing to pick from. */
function factsOf(controller: unknown): SiteFacts | null {
  return isSiteHolder(controller) && controller.site ? siteFacts(controller.site) : null;
}

function nowOf(controller: unknown): Now | null {
  if (isSiteHolder(controller)) {
    const { site, problem } = controller;
    if (site) return { state: 'ok', text: `${site.siteId} · open` };
    return { state: 'bad', text: problem ?? 'opening' };
  }
  if (!isLinkHolder(controller)) return null;
  const { state, text } = controller.status();
  const where = controller.url === undefined ? '' : `${controller.url} · `;
  return { state: state === 'up' ? 'ok' : state === 'down' ? 'bad' : 'waiting', text: `${where}${text}` };
}

const SWITCHES: readonly Switch[] = ['start', 'stop', 'toggle'];

const stageOf = (controller: unknown): StageState | null => (isVirtual(controller) ? controller.now() : null);

function virtualOf(controller: unknown): Virtual {
  if (isVirtual(controller)) return controller;
  throw NODE_ERRORS.fail('nodes.notRunning');
}

/** `{"turn": "start"}` from a button, or `{"tell": …}` with what a message would bring. */
async function order(virtual: Virtual, { body }: Request): Promise<StageState> {
  const given: unknown = body;
  const read = (key: string): unknown =>
    typeof given === 'object' && given !== null ? Reflect.get(given, key) : undefined;
  const turn = SWITCHES.find((s) => s === read('turn'));
  const tell = read('tell');
  if (turn !== undefined) await virtual.turn(turn);
  else if (typeof tell === 'object' && tell !== null) virtual.tell(tell);
  else throw NODE_ERRORS.fail('nodes.request', 'Say turn (start, stop, toggle), or tell with an order.');
  return virtual.now();
}
