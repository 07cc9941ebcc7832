import type { NodeMessage } from 'node-red';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RecordKind, StoreOp } from '../../hub/ports.ts';
import { createAllocate } from '../../nodes/allocate/controller.ts';
import type { NodeHost } from '../../nodes/base/host.ts';
import { BridgeWorld } from './world.ts';

let w: BridgeWorld;
beforeEach(async () => {
  w = await BridgeWorld.open();
});
afterEach(() => w.close());

/** From now on writes of this kind wait until they are let go, or fail. */
function holdBack(kind: RecordKind): { go(): void; fail(): void } {
  const write = w.store.write.bind(w.store);
  const waiting: { go(): void; fail(): void }[] = [];
  let open = false;
  w.store.write = async (ops: readonly StoreOp[]) => {
    if (!open && ops.some((op) => op.kind === kind))
      await new Promise<void>((go, no) =>
        waiting.push({ go, fail: () => no(Object.assign(new Error('full'), { code: 'store.failed' })) }),
      );
    await write(ops);
  };
  const all = (what: 'go' | 'fail') => () => {
    open = true;
    for (const one of waiting.splice(0)) one[what]();
  };
  return { go: all('go'), fail: all('fail') };
}

const chargingNeeds = {
  requestedEnergyTransfer: 'DC_BPT',
  v2xChargingParameters: { maxChargePower: 10_000, maxDischargePower: 9_000, evMinV2XEnergyRequest: -8_000 },
};

describe('nobody is answered before the store has it (design 5)', () => {
  it('what a vehicle needs is acknowledged when it is stored', async () => {
    const s = await w.v2g();
    const store = holdBack('needs');
    let answer: unknown;
    void s.call('NotifyEVChargingNeeds', { evseId: 1, chargingNeeds }).then((a) => {
      answer = a;
    });
    await w.run(1000);
    expect(answer).toBeUndefined();
    expect(w.told('EvNeeds')).toHaveLength(1);
    store.go();
    await expect.poll(() => answer).toEqual({ status: 'Processing' });
    await w.restart();
    expect((await w.store.list('needs')).map((r) => r.key)).toEqual(['site:test/V2G-1.1']);
  });

  it('a store that fails is no acknowledgement, and costs the next words of stations nothing', async () => {
    const s = await w.v2g();
    const store = holdBack('needs');
    const answer = s.call('NotifyEVChargingNeeds', { evseId: 1, chargingNeeds });
    await w.run(200);
    store.fail();
    await w.run(200);
    expect(await answer).toMatchObject({ error: 'InternalError' });
    await w.measure21(s, 1, 0);
    expect(await s.call('NotifyEVChargingNeeds', { evseId: 1, chargingNeeds })).toEqual({ status: 'Processing' });
  });

  it('commands leave the allocate node when they are stored', async () => {
    await w.v2g();
    const store = holdBack('batch');
    const sent: unknown[] = [];
    const failed: unknown[] = [];
    const onReady = (use: (site: unknown) => void) => {
      use(w.site);
      return () => undefined;
    };
    const site = { kind: 'site', site: w.site, onReady };
    const host: NodeHost = {
      id: 'allocate',
      name: 'allocate',
      type: 'v2gate-allocate',
      runtime: w.runtime,
      credentials: {},
      status: () => undefined,
      send: (m) => sent.push((m as NodeMessage).topic),
      fail: (e) => failed.push(e),
      controllerOf: () => site,
      onFlowsStarted: () => () => undefined,
      announceLink: () => undefined,
      withdrawLink: () => undefined,
    };
    const node = createAllocate(host, { site: 'c-site' });
    await w.run(1000);
    expect(sent).toEqual([]);
    store.go();
    await expect.poll(() => sent).toContain('hub/CommandBatch');
    expect(failed).toEqual([]);
    await node.close(true);
  });
});
