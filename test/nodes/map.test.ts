import type { FlowNode } from 'node-red';
import { describe, expect, it } from 'vitest';
import { useGateway } from '../support/gateway.ts';

const gw = useGateway();

function flow(map: Readonly<Record<string, unknown>>): FlowNode[] {
  return [
    { id: 't', type: 'tab', label: 'map' },
    {
      id: 'map',
      type: 'v2gate-map',
      z: 't',
      version: 1,
      name: '',
      source: 'text',
      file: '',
      text: '',
      wires: [['out']],
      ...map,
    },
    { id: 'out', type: 'debug', z: 't', name: '', active: false, wires: [] },
    { id: 'catch', type: 'catch', z: 't', name: '', scope: null, uncaught: false, wires: [['caught']] },
    { id: 'caught', type: 'debug', z: 't', name: '', active: false, wires: [] },
  ];
}

describe('map', () => {
  it('translates by its text, knows the context and names the topic of the result', async () => {
    const text =
      '/* from: hub/PowerCommand to: ocpp1.6/SetChargingProfileRequest */ {"limit": powerW / 1000, "id": $ctx.ids.profile}';
    await gw().deploy(flow({ text }));
    expect(await gw().status('map', /./)).toContain('ocpp1.6/SetChargingProfileRequest');
    const out = gw().next('out');
    gw().inject('map', {
      topic: 'hub/PowerCommand',
      payload: { powerW: 7000 },
      ctx: { ids: { profile: 7 } },
      v2gate: { peer: 'CS-1' },
    });
    expect(await out).toMatchObject({
      topic: 'ocpp1.6/SetChargingProfileRequest',
      payload: { limit: 7, id: 7 },
      v2gate: { peer: 'CS-1', cause: expect.any(String) },
    });
  });

  it('several messages leave one after the other', async () => {
    const text = '{"messages": [{"topic": "hub/A", "payload": {"n": n}}, {"topic": "hub/B", "payload": {"n": n + 1}}]}';
    await gw().deploy(flow({ text }));
    const out = gw().next('out');
    gw().inject('map', { topic: 'x/Y', payload: { n: 1 } });
    expect(await out).toMatchObject({ topic: 'hub/A', payload: { n: 1 } });
  });

  it('a mapping that cannot be compiled shows where, and takes no messages', async () => {
    await gw().deploy(flow({ text: '{"a":\n  $sum(}' }));
    expect(await gw().status('map', /line/)).toMatch(/line 2/);
  });

  it('a message of another kind and an error in the mapping reach the catch nodes with their code', async () => {
    await gw().deploy(flow({ text: '/* from: hub/PowerCommand to: hub/X */ {"w": -powerW}' }));
    const other = gw().next('caught');
    gw().inject('map', { topic: 'hub/MeterReading', payload: {} });
    expect(await other).toMatchObject({ error: { code: 'nodes.message', cause: { retry: 'no' } } });
    const broken = gw().next('caught');
    gw().inject('map', { topic: 'hub/PowerCommand', payload: { powerW: 'much' } });
    expect(await broken).toMatchObject({
      error: { code: expect.stringMatching(/^mapping\./), message: expect.any(String) },
    });
  });

  it('a file outside of the pack is refused', async () => {
    await gw().deploy(flow({ source: 'pack', file: '../package.json' }));
    expect(await gw().status('map', /no mapping .*package/)).toContain('../package.json');
    await gw().deploy(flow({ source: 'pack', file: 'ocpp1.6/from-hub/None.jsonata' }));
    expect(await gw().status('map', /no mapping/)).toContain('ocpp1.6/from-hub/None.jsonata');
  });
});
