import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FlowNode } from 'node-red';
import { describe, expect, it } from 'vitest';
import { collectExamples } from '../../tools/examples.ts';
import { useGateway } from '../support/gateway.ts';

const gw = useGateway({
  site: (file) => ({ ...file, meters: [{ meterId: 'm:poc', at: 'poc', signedValues: false, intervalS: 60 }] }),
});
/** Those of single nodes; the use cases have tests of their own (test/flows). */
const examples = collectExamples(join(import.meta.dirname, '../..'))
  .filter(({ file }) => file.includes(join('nodes', '')))
  .map(({ menuPath, file }) => ({ menuPath, flow: JSON.parse(readFileSync(file, 'utf8')) as FlowNode[] }));
const allocates = ({ flow }: { readonly flow: readonly FlowNode[] }): boolean =>
  flow.some((n) => n.type === 'v2gate-allocate');

/** Runs flows side by side; what they share (the config nodes) is there once. */
async function deployed(flows: readonly FlowNode[][]): Promise<readonly string[]> {
  const before = gw().log.length;
  const nodes = [...new Map(flows.flat().map((n) => [n.id, n])).values()];
  await gw().deploy(nodes);
  for (const n of nodes.filter((f) => f.type.startsWith('v2gate-') && f.x !== undefined))
    expect(await gw().status(n.id, /\S/), n.id).not.toMatch(/choose|must|no such|not configured/i);
  return gw()
    .log.slice(before)
    .filter((line) => / (error|warn) /.test(line));
}

describe('the examples of the import menu', () => {
  it('run side by side without a complaint, imported one after the other into one gateway', async () => {
    const together = examples.filter((e) => !allocates(e));
    expect(together.length).toBeGreaterThanOrEqual(10);
    expect(await deployed(together.map((e) => e.flow))).toEqual([]);
  });

  it.each(examples.filter(allocates).map((e) => [e.menuPath, e.flow] as const))(
    '%s runs without a complaint',
    async (_, flow) => {
      expect(await deployed([flow])).toEqual([]);
    },
  );
});
