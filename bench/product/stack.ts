/**
 * OCPP server, bridge, mappings, twin and store without Node-RED: `stack.ts <folder>`, in which `site.json` lies. What a
 * gateway does with a message, up to the wire.
 */
import { join } from 'node:path';
import { openOcppLink } from '../../bridges/ocpp/index.ts';
import { realClock } from '../../core/clock.ts';
import { createLog } from '../../core/log.ts';
import { createRuntime, ROOT } from '../../gateway/runtime.ts';
import { readSettings } from '../../gateway/settings.ts';

const folder = process.argv[2] ?? '';
const env = { V2GATE_SITE: join(folder, 'site.json'), V2GATE_DATA: folder, V2GATE_LOG_LEVEL: 'warn' };
const settings = readSettings(env, { demoSiteFile: '' });
const clock = realClock();
const log = createLog({ clock, level: 'warn', format: 'text', write: (line) => process.stderr.write(`${line}\n`) });
const runtime = await createRuntime({ settings, clock, log, mappings: join(ROOT, 'mappings'), env: {} });
const { siteId } = await runtime.sites.open({ file: settings.siteFile });
const link = await openOcppLink(
  { linkId: 'ocpp:bench', siteId, host: '127.0.0.1', port: 0, path: '/ocpp', portSearch: false, speaks: 'hub' },
  runtime,
);
let seen = 0;
link.on('message', () => seen++);
process.on('disconnect', () => process.exit());
process.send?.({ port: Number(new URL(link.url).port) });
