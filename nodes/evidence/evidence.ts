import type { NodeAPI } from 'node-red';
import { defineNode } from '../base/define.ts';
import { createEvidence } from './controller.ts';

export default function (RED: NodeAPI): void {
  defineNode(RED, 'v2gate-evidence', { create: createEvidence });
}
