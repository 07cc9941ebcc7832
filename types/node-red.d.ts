/**
 * What v2gate uses of Node-RED 5: the runtime API for the process that embeds it, and the API for node authors. Node-RED
 * ships no types. Hand-written after @node-red/runtime, @node-red/registry and @node-red/util 5.0.7.
 */
declare module 'node-red' {
  import type { EventEmitter } from 'node:events';
  import type { Server as HttpServer } from 'node:http';
  import type { Server as HttpsServer } from 'node:https';
  import type { Express, RequestHandler } from 'express';

  /** A message on a wire. `_msgid` is added by Node-RED where it is missing. */
  export interface NodeMessage {
    _msgid?: string;
    topic?: unknown;
    payload?: unknown;
    [property: string]: unknown;
  }

  /** One node of a flow file. Nodes without x and y are taken for config nodes. */
  export interface FlowNode {
    id: string;
    type: string;
    name?: string;
    z?: string;
    x?: number;
    y?: number;
    wires?: string[][];
    [property: string]: unknown;
  }

  /** What a node constructor gets: the values of `defaults` of its editor part. */
  export interface NodeDef {
    readonly id: string;
    readonly type: string;
    readonly name?: string;
    readonly z?: string;
    readonly [property: string]: unknown;
  }

  export type StatusFill = 'red' | 'green' | 'yellow' | 'blue' | 'grey';
  export type NodeStatus = { fill: StatusFill; shape: 'dot' | 'ring'; text: string } | Record<string, never>;

  /** One message, nothing, or per output one message, several or nothing. */
  export type Outgoing = NodeMessage | null | readonly (NodeMessage | readonly NodeMessage[] | null | undefined)[];
  export type Send = (message: Outgoing) => void;
  /** Without argument: finished. With an error: it goes to the catch nodes, or to the log when there are none. */
  export type Done = (error?: Error) => void;

  export interface Node {
    readonly id: string;
    readonly type: string;
    readonly name?: string;
    readonly credentials?: Readonly<Record<string, string | undefined>>;
    on(event: 'input', listener: (message: NodeMessage, send: Send, done: Done) => void): void;
    on(event: 'close', listener: (removed: boolean, done: () => void) => void): void;
    send: Send;
    status(status: NodeStatus): void;
    /** With a message: to the catch nodes. */
    error(error: Error | string, message?: NodeMessage): void;
    warn(text: string): void;
    log(text: string): void;
    receive(message: NodeMessage): void;
  }

  export interface RegisterOptions {
    readonly credentials?: Readonly<Record<string, { readonly type: 'text' | 'password' }>>;
    readonly settings?: Readonly<Record<string, { readonly value: unknown; readonly exportable?: boolean }>>;
  }

  /** `RED` as a node file gets it. */
  export interface NodeAPI {
    readonly nodes: {
      createNode(node: Node, definition: NodeDef): void;
      registerType(type: string, create: (this: Node, definition: NodeDef) => void, options?: RegisterOptions): void;
      getNode(id: string): Node | null;
    };
    readonly settings: { readonly [name: string]: unknown };
    readonly events: EventEmitter;
    readonly log: RuntimeLog;
    /** Serves the editor; nobody reaches it where the editor is off. */
    readonly httpAdmin: Express;
    /** Absent in tests that make nodes by hand. */
    readonly plugins?: { get(id: string): unknown };
    readonly auth: {
      /** Lets only those pass who may do this, e.g. `v2gate-map.read`; everybody where no users are set up. */
      needsPermission(permission: string): RequestHandler;
    };
  }

  /** What a plugin registers: every module of this Node-RED gets the same object by its id. */
  export interface PluginDefinition {
    readonly type: string;
    /** Called when the module is taken out of a running Node-RED. */
    onremove?(): void;
  }

  /** `RED` as the file of a plugin gets it. Plugins are loaded, also asynchronously, before the nodes of any module. */
  export interface PluginAPI extends NodeAPI {
    readonly server: HttpServer | HttpsServer;
    readonly plugins: {
      registerPlugin(id: string, definition: PluginDefinition): void;
      get(id: string): PluginDefinition | undefined;
    };
  }

  export interface RuntimeLog {
    info(text: string): void;
    warn(text: string): void;
    error(text: string): void;
    debug(text: string): void;
  }

  /** One entry of Node-RED's own log. */
  export interface LogEntry {
    readonly level: number;
    readonly msg: unknown;
    readonly type?: string;
    readonly id?: string;
    readonly name?: string;
    readonly z?: string;
    readonly timestamp: number;
  }

  export interface LogHandlerSettings {
    readonly level: 'off' | 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace';
    readonly metrics?: boolean;
    readonly audit?: boolean;
    readonly handler?: (settings: LogHandlerSettings) => (entry: LogEntry) => void;
  }

  export interface AdminUser {
    readonly username: string;
    readonly permissions: string | readonly string[];
  }

  export interface RuntimeSettings {
    readonly userDir: string;
    readonly flowFile: string;
    readonly flowFilePretty?: boolean;
    readonly credentialSecret: string;
    readonly nodesDir: readonly string[];
    readonly httpAdminRoot: string | false;
    readonly httpNodeRoot: string | false;
    readonly disableEditor?: boolean;
    readonly uiHost?: string;
    readonly uiPort?: number;
    readonly apiMaxLength?: string;
    readonly adminAuth?: {
      readonly type: 'credentials';
      users(username: string): Promise<AdminUser | null>;
      authenticate(username: string, password: string): Promise<AdminUser | null>;
    };
    readonly editorTheme?: Readonly<Record<string, unknown>>;
    readonly externalModules?: Readonly<Record<string, unknown>>;
    readonly functionExternalModules?: boolean;
    readonly telemetry?: { readonly enabled: boolean; readonly updateNotification?: boolean };
    readonly logging: Readonly<Record<string, LogHandlerSettings>>;
    readonly [name: string]: unknown;
  }

  export interface FlowsStarted {
    readonly type: string;
    readonly config: { readonly flows: readonly FlowNode[] };
  }

  /** What a hook on a message hears. */
  export interface ReceiveEvent {
    readonly msg: NodeMessage;
    readonly destination?: { readonly id: string };
  }

  export interface NodeSetInfo {
    readonly id: string;
    readonly name: string;
    readonly module: string;
    readonly types: readonly string[];
    readonly enabled: boolean;
    readonly err?: unknown;
  }

  /** The one Node-RED of this process. */
  export interface NodeRed {
    init(server: HttpServer | HttpsServer, settings: RuntimeSettings): void;
    start(): Promise<void>;
    stop(): Promise<void>;
    readonly httpAdmin: Express;
    readonly httpNode: Express;
    readonly version: string;
    readonly settings: { readonly [name: string]: unknown };
    readonly events: EventEmitter;
    readonly hooks: {
      add(name: string, hook: (event: ReceiveEvent) => void): void;
      remove(name: string): void;
    };
    readonly nodes: {
      getNode(id: string): Node | null;
      getNodeList(): readonly NodeSetInfo[];
    };
    readonly runtime: {
      readonly flows: {
        setFlows(options: {
          flows: { flows: readonly FlowNode[] };
          deploymentType?: 'full' | 'flows' | 'nodes' | 'reload';
        }): Promise<unknown>;
        getFlows(
          options: Record<string, never>,
        ): Promise<{ readonly flows: readonly FlowNode[]; readonly rev: string }>;
      };
    };
  }

  const RED: NodeRed;
  export default RED;
}
