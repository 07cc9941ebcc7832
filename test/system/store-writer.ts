/** Child of store-crash.test.ts: writes as fast as it can and prints each key once it is acknowledged. */
import { writeSync } from 'node:fs';
import { realClock } from '../../core/clock.ts';
import { silentLog } from '../../core/log.ts';
import { createMetrics } from '../../core/metrics.ts';
import { openStore } from '../../gateway/store/index.ts';
import type { StoreOp } from '../../hub/ports.ts';

const [path = '', round = ''] = process.argv.slice(2);
const store = await openStore({ path, clock: realClock(), log: silentLog, metrics: createMetrics() });

async function write(
  kinds: readonly ('service' | 'record' | 'setpoint' | 'outcome' | 'telemetry')[],
  key: string,
): Promise<void> {
  await store.write(
    kinds.map((kind): StoreOp => ({ op: 'put', kind, key, at: 1, body: { kind, key, pad: 'x'.repeat(200) } })),
  );
  writeSync(1, `${kinds.join('+')} ${key}\n`);
}

async function forever(kinds: Parameters<typeof write>[0], name: string): Promise<never> {
  for (let n = 0; ; n++) await write(kinds, `${round}-${name}-${n}`);
}

await Promise.all([
  forever(['service', 'record'], 'a1'),
  forever(['service'], 'a2'),
  forever(['setpoint', 'outcome'], 'b1'),
  forever(['setpoint', 'telemetry'], 'b2'),
  forever(['service', 'setpoint'], 'mixed'),
]);
