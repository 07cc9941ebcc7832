import type { NodeMessage } from 'node-red';
import { describe, expect, it } from 'vitest';
import { manualClock } from '../../core/clock.ts';
import { silentLog } from '../../core/log.ts';
import { createMappingLibrary } from '../../core/mapping/library.ts';
import type { GatewayRuntime } from '../../hub/ports.ts';
import type { NodeHost } from '../../nodes/base/host.ts';
import { createMap } from '../../nodes/map/controller.ts';

const FILE = 'ocpp2.1/from-hub/PowerCommand.jsonata';
const HEAD = '/* from: hub/PowerCommand   to: ocpp2.1/SetChargingProfileRequest */';

function world() {
  const files: Record<string, string> = { [`pack/${FILE}`]: `${HEAD}{"v": 1}` };
  const mappings = createMappingLibrary({
    roots: ['pack', 'own'],
    log: silentLog,
    files: {
      list: (dir) => Object.keys(files).flatMap((f) => (f.startsWith(`${dir}/`) ? [f.slice(dir.length + 1)] : [])),
      read: (path) => files[path] ?? '',
    },
  });
  const runtime: Partial<GatewayRuntime> = { clock: manualClock(), mappings };
  const statuses: string[] = [];
  const host: NodeHost = {
    id: 'n1',
    name: '',
    type: 'v2gate-map',
    runtime: runtime as GatewayRuntime,
    credentials: {},
    status: (mood, words) => void statuses.push(`${mood}: ${words}`),
    send: () => undefined,
    fail: () => undefined,
    controllerOf: () => undefined,
    onFlowsStarted: () => () => undefined,
    announceLink: () => undefined,
    withdrawLink: () => undefined,
  };
  const edit = (text: string | undefined): void => {
    delete files[`own/${FILE}`];
    if (text !== undefined) files[`own/${FILE}`] = text;
    mappings.reload();
  };
  return { host, statuses, edit };
}

describe('a map node with a mapping of the pack', () => {
  it('takes edits of the integrator’s folder with the next message; a broken one is shown and not used', async () => {
    const { host, statuses, edit } = world();
    const map = createMap(host, { source: 'pack', file: FILE });
    const result = async (): Promise<unknown> => {
      const sent: NodeMessage[] = [];
      await map.input?.({ topic: 'hub/PowerCommand', payload: {} }, (m) => void sent.push(m as NodeMessage));
      return sent[0]?.payload;
    };
    expect(await result()).toEqual({ v: 1 });
    edit(`${HEAD}{"v": 2}`);
    expect([await result(), await result()]).toEqual([{ v: 2 }, { v: 2 }]);
    edit(`${HEAD}{"v": `);
    expect(await result()).toEqual({ v: 2 });
    expect(statuses.at(-1)).toMatch(/^attention: the last good version is in force: .*/);
    edit(`${HEAD}{"v": 3}`);
    expect(await result()).toEqual({ v: 3 });
    edit(undefined);
    expect(await result()).toEqual({ v: 1 });
    expect(statuses).toEqual([
      'good: ocpp2.1/SetChargingProfileRequest',
      'good: ocpp2.1/SetChargingProfileRequest',
      expect.stringContaining('attention'),
      'good: ocpp2.1/SetChargingProfileRequest',
      'good: ocpp2.1/SetChargingProfileRequest',
    ]);
  });
});
