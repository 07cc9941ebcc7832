import type { Node, NodeAPI, NodeMessage, Outgoing } from 'node-red';
import { describeError } from '../../core/errors.ts';
import type { GatewayRuntime } from '../../hub/ports.ts';
import { NODE_ERRORS } from './errors.ts';
import { type Mood, statusOf } from './status.ts';

/** What a controller may do: everything it knows of Node-RED, so that a test can make one by hand. */
export interface NodeHost {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly runtime: GatewayRuntime;
  /** Credentials of the node; absent ones are undefined. */
  readonly credentials: Readonly<Record<string, string | undefined>>;
  status(mood: Mood, words: string): void;
  /** Sends on the first output, or per output one message. */
  send(message: Outgoing): void;
  /** Reports what failed outside of an input: to the catch nodes of this node and to the log. */
  fail(error: unknown): void;
  /** The controller of another (config) node, or undefined while there is none. */
  controllerOf(nodeId: unknown): unknown;
  /** Calls back whenever flows were (re)started, until the result is called. */
  onFlowsStarted(listener: () => void): () => void;
  /** Tells the gateway process where a link is, so that it can say so to people and start what connects to it. */
  announceLink(place: { readonly url: string; readonly wantedPort?: number }): void;
  /** Takes that back: the link of this node is gone for good. */
  withdrawLink(): void;
}

/** What a node does, free of Node-RED. */
export interface NodeController {
  /** Handles one message. Resolves when it is done; rejects with a coded error, which goes to the catch nodes. */
  input?(message: NodeMessage, send: (message: Outgoing) => void): Promise<void> | void;
  /** Takes back everything. `removed`: the node is gone, not only restarted. */
  close(removed: boolean): Promise<void> | void;
}

/**
 * Id of the plugin by which the package for somebody's Node-RED offers the runtime, the one place where it hangs there:
 * `{runtime}`, or `{problem}` with the error for which there is none.
 */
const RUNTIME_PLUGIN = 'v2gate-runtime';

/**
 * The gateway runtime: a gateway process puts it into the settings of its Node-RED, the package offers it as a plugin.
 * Throws `nodes.noGateway`, or why the package could not make one.
 */
export function runtimeOf(RED: Pick<NodeAPI, 'settings' | 'plugins'>): GatewayRuntime {
  const { v2gate } = RED.settings;
  if (isRuntime(v2gate)) return v2gate;
  const offer: unknown = RED.plugins?.get(RUNTIME_PLUGIN);
  const offered = (name: string): unknown =>
    typeof offer === 'object' && offer !== null ? Reflect.get(offer, name) : undefined;
  const runtime = offered('runtime');
  if (isRuntime(runtime)) return runtime;
  throw offered('problem') ?? NODE_ERRORS.fail('nodes.noGateway');
}

function isRuntime(x: unknown): x is GatewayRuntime {
  return typeof x === 'object' && x !== null && ['clock', 'log', 'leases', 'sites', 'settings'].every((k) => k in x);
}

/** Property of a Node-RED node that holds its controller. */
const CONTROLLER = 'v2gateController';
const FLOWS_STARTED = 'flows:started';
const LINK_EVENT = 'v2gate:link';
const LINK_GONE_EVENT = 'v2gate:link-gone';

export function createHost(RED: NodeAPI, node: Node): NodeHost {
  const runtime = runtimeOf(RED);
  return {
    id: node.id,
    name: node.name || node.type.replace(/^v2gate-/, ''),
    type: node.type,
    runtime,
    credentials: node.credentials ?? {},
    status: (mood, words) => node.status(statusOf(mood, words)),
    send: (message) => node.send(message),
    fail(error) {
      node.error(asError(error), {});
    },
    controllerOf: (nodeId) => controllerOf(RED, nodeId),
    onFlowsStarted(listener) {
      RED.events.on(FLOWS_STARTED, listener);
      return () => RED.events.off(FLOWS_STARTED, listener);
    },
    announceLink(place) {
      RED.events.emit(LINK_EVENT, { nodeId: node.id, type: node.type, ...place });
    },
    withdrawLink() {
      RED.events.emit(LINK_GONE_EVENT, node.id);
    },
  };
}

/** The controller of a node that runs. */
export function controllerOf(RED: Pick<NodeAPI, 'nodes'>, nodeId: unknown): unknown {
  const node = typeof nodeId === 'string' ? RED.nodes.getNode(nodeId) : null;
  return node === null ? undefined : Reflect.get(node, CONTROLLER);
}

/** Connects a controller with the events of its node. Nothing that it throws leaves the event handlers. */
export function attach(node: Node, controller: NodeController): void {
  Object.defineProperty(node, CONTROLLER, { value: controller, enumerable: false, configurable: true });
  const { input } = controller;
  if (input) {
    node.on('input', (message, send, done) => {
      run(() => input.call(controller, message, send)).then(
        () => done(),
        (e: unknown) => done(asError(e)),
      );
    });
  }
  node.on('close', (removed, done) => {
    run(() => controller.close(removed)).then(done, (e: unknown) => {
      node.warn(describeError(e).what);
      done();
    });
  });
}

async function run(act: () => Promise<void> | void): Promise<void> {
  await act();
}

/** Catch nodes read message, own enumerable `code` and `cause`; other things that were thrown are wrapped. */
export function asError(e: unknown): Error {
  if (e instanceof Error) return e;
  return new Error(describeError(e).what);
}
