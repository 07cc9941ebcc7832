import type { Node, NodeAPI, NodeDef, RegisterOptions } from 'node-red';
import { describeError } from '../../core/errors.ts';
import { asError, attach, createHost, type NodeController, type NodeHost } from './host.ts';
import { type MigrationStep, migrate, type SavedConfig } from './migrate.ts';
import { statusOf } from './status.ts';

export interface NodeKind extends RegisterOptions {
  /** Steps from the first saved form to the present one. */
  readonly migrations?: readonly MigrationStep[];
  /** Makes the controller; what it throws becomes the status of the node. */
  create(host: NodeHost, config: SavedConfig): NodeController;
}

/** Registers a node type: the whole of its constructor, for every node of the palette. */
export function defineNode(RED: NodeAPI, type: string, kind: NodeKind): void {
  function V2gateNode(this: Node, definition: NodeDef): void {
    RED.nodes.createNode(this, definition);
    try {
      const host = createHost(RED, this);
      attach(this, kind.create(host, migrate(definition, kind.migrations ?? [])));
    } catch (e) {
      this.status(statusOf('bad', describeError(e).what));
      this.error(asError(e), {});
    }
  }
  RED.nodes.registerType(type, V2gateNode, kind.credentials ? { credentials: kind.credentials } : {});
}
