import type { NodeAPI } from 'node-red';
import { defineNode } from '../base/define.ts';
import { createVirtualFo } from './controller.ts';

export default function (RED: NodeAPI): void {
  defineNode(RED, 'v2gate-virtual-fo', { create: createVirtualFo });
}
