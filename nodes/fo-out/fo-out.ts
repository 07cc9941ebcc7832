import type { NodeAPI } from 'node-red';
import { defineNode } from '../base/define.ts';
import { createFoOut } from './controller.ts';

export default function (RED: NodeAPI): void {
  defineNode(RED, 'v2gate-fo-out', { create: createFoOut });
}
