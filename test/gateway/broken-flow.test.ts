import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PATIENT, useGateway } from '../support/gateway.ts';

const BROKEN = '[{"id":"a","type":"tab"';
const gw = useGateway({ flowFile: BROKEN });

describe('a gateway with a broken flow file', () => {
  it('keeps console and health, says what is wrong, and keeps the file', async () => {
    const health = await gw().get('/health');
    expect(health.status).toBe(503);
    expect(await health.json()).toMatchObject({
      components: { flows: { state: 'down', text: expect.stringContaining('flows.json') } },
    });
    expect((await gw().get('/console/vendor/uplot/uPlot.esm.js')).status).toBe(200);
    expect(gw().log.join('\n')).toMatch(/flows\.broken.*not JSON/);
    expect(await readFile(join(gw().dataDir, 'node-red', 'flows.json.broken'), 'utf8')).toBe(BROKEN);
  });

  it('runs again after a good deploy', async () => {
    await gw().deploy([{ id: 't', type: 'tab', label: 'good' }]);
    await expect.poll(async () => (await gw().get('/health')).status, PATIENT).toBe(200);
  });

  it('an unknown node type stops the flows and is named', async () => {
    const { default: RED } = await import('node-red');
    const flows = [
      { id: 't', type: 'tab', label: 'x' },
      { id: 'n', type: 'no-such-node', z: 't', x: 1, y: 1, wires: [] },
    ];
    await RED.runtime.flows.setFlows({ flows: { flows }, deploymentType: 'full' });
    await expect
      .poll(async () => JSON.stringify(await (await gw().get('/health')).json()), PATIENT)
      .toContain('unknown node types no-such-node');
  });
});
