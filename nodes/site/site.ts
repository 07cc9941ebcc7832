import type { NodeAPI } from 'node-red';
import { defineNode } from '../base/define.ts';
import { serveDialogs } from '../editor/routes.ts';
import { createSite } from './controller.ts';

export default function (RED: NodeAPI): void {
  serveDialogs(RED);
  defineNode(RED, 'v2gate-site', { create: createSite });
}
