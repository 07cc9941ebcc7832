/** Child of evidence-crash.test.ts: notes as fast as it can and prints the head of a chain whenever it is written. */
import { writeSync } from 'node:fs';
import { realClock } from '../../core/clock.ts';
import { silentLog } from '../../core/log.ts';
import { createMetrics } from '../../core/metrics.ts';
import { openStore } from '../../gateway/store/index.ts';
import { EventLog } from '../../hub/evidence/event-log.ts';
import { Ledger } from '../../hub/site/ledger.ts';

const [path = ''] = process.argv.slice(2);
const clock = realClock();
const store = await openStore({ path, clock, log: silentLog, metrics: createMetrics() });
const ledger = new Ledger({ store, log: silentLog, siteId: 'site:test' });
const log = new EventLog({ clock, log: silentLog, ledger, parties: () => ['fo:a', 'fo:b'] });
await log.restore();
for (let n = 0; ; n++) {
  log.note({ kind: 'x', severity: 'info', subject: [`n${n}`], ...(n % 3 === 0 ? { parties: 'all' as const } : {}) });
  if (n % 7 !== 0) continue;
  await log.flush();
  for (const chain of ['local', 'fo:a', 'fo:b'])
    writeSync(1, `${chain} ${log.head(chain).logSeq} ${log.head(chain).hash}\n`);
}
