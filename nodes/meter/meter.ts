import type { NodeAPI } from 'node-red';
import { defineNode } from '../base/define.ts';
import { createMeter } from './controller.ts';

export default function (RED: NodeAPI): void {
  defineNode(RED, 'v2gate-meter', { create: createMeter });
}
