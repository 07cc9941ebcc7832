import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { manualClock } from '../../core/clock.ts';
import { silentLog } from '../../core/log.ts';
import { openMappings } from '../../gateway/mapping-files.ts';
import type { ComponentHealth } from '../../hub/ports.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'v2gate-mappings-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const PATH = 'ocpp2.1/from-hub/PowerCommand.update.jsonata';
const HEAD = '/* from: hub/PowerCommand   to: ocpp2.1/UpdateDynamicScheduleRequest   variant: update */\n';

function put(root: string, text: string): void {
  const file = join(dir, root, PATH);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

it('a broken override degrades the health of the gateway until it is mended, and names the place', async () => {
  put('shipped', `${HEAD}{"v": 1}`);
  put('own', `${HEAD}{"v": `);
  const clock = manualClock();
  const told: ComponentHealth[] = [];
  const health = (component: string, state: ComponentHealth): void => {
    expect(component).toBe('mappings');
    told.push(state);
  };
  const { library, watch } = openMappings({
    shipped: join(dir, 'shipped'),
    overrides: join(dir, 'own'),
    clock,
    log: silentLog,
    health,
  });
  expect(told.at(-1)).toMatchObject({ state: 'degraded', admits: true });
  expect(told.at(-1)?.text).toMatch(
    /PowerCommand\.update\.jsonata, line 2, column 7: .* The last good version is in force\.$/,
  );
  put('own', `${HEAD}{"v": 2}`);
  await clock.advance(2_000);
  expect(told.at(-1)).toEqual({ state: 'ok', text: '1 mapping in force' });
  expect(library.entries().map((e) => e.mapping.run({}, {}))).toEqual([{ v: 2 }]);
  put('own', `${HEAD}{"v": 3, "w": $nope()}`);
  await clock.advance(2_000);
  expect(told.at(-1)?.state).toBe('degraded');
  expect(library.list().map((s) => [s.state, s.inForce])).toEqual([
    ['overridden', 'other'],
    ['broken', 'earlier'],
  ]);
  watch?.cancel();
});
