import type { NodeAPI } from 'node-red';
import { defineNode } from '../base/define.ts';
import { createMap } from './controller.ts';
import { serveWorkbench } from './workbench/routes.ts';

export default function (RED: NodeAPI): void {
  serveWorkbench(RED);
  defineNode(RED, 'v2gate-map', { create: createMap });
}
