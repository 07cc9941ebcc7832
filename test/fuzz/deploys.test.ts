import fc from 'fast-check';
import type { FlowNode } from 'node-red';
import { describe, expect, it } from 'vitest';
import { NODES } from '../../nodes/registry.ts';
import { PATH, useWorld } from '../hostile/world.ts';
import { FUZZ_TIME, INPUTS, inputs, mutated, odd } from './mutate.ts';

const world = useWorld();
/** A deploy takes some milliseconds, so several mutants share one. */
const NODES_PER_DEPLOY = 10;
const DEPLOYS = Math.min(Math.ceil(INPUTS / 100), 100);

/** A node of each type that is not a link, with one of its saved values spoiled. Node-RED's own fields stay as they are. */
const spoiledNode = fc
  .record({
    entry: fc.constantFrom(...NODES.filter((n) => n.kind === 'node')),
    key: fc.nat(12),
    how: fc.constantFrom('replace' as const, 'remove' as const, 'add' as const, 'nudge' as const),
    by: odd,
    refers: fc.constantFrom('c-site', 'c-fo', 'c-ocpp', 'nowhere'),
  })
  .map(({ entry, key, how, by, refers }) => {
    const own = Object.fromEntries(Object.entries(entry.defaults).map(([k, v]) => [k, v === '' ? refers : v]));
    const values = mutated(own, [key], how, by);
    return {
      ...(typeof values === 'object' && values !== null && !Array.isArray(values) ? values : {}),
      type: entry.type,
    };
  });

describe(`${DEPLOYS} deploys of ${NODES_PER_DEPLOY} spoiled nodes each`, FUZZ_TIME, () => {
  it('harm neither the flow beside them nor anybody connected', async () => {
    const made = inputs(fc.array(spoiledNode, { minLength: NODES_PER_DEPLOY, maxLength: NODES_PER_DEPLOY }), DEPLOYS);
    for (const nodes of made) {
      const spoiled = nodes.map((n, i): FlowNode => ({ ...n, id: `bad-${i}`, z: 'bad', x: 1, y: 1, wires: [[], []] }));
      await world().gw.deploy([...PATH, { id: 'bad', type: 'tab', label: 'bad' }, ...spoiled], 'nodes');
      for (const { id } of spoiled) world().gw.inject(id, { topic: 'hub/Nothing', payload: { some: 'thing' } });
      await world().unharmed();
    }
    await world().gw.deploy(PATH, 'nodes');
    await world().unharmed();
    expect(world().gw.log.filter((l) => /TypeError|RangeError|handlerFailed|listenerFailed/.test(l))).toEqual([]);
  });
});
