import { join } from 'node:path';
import type { LinkPlace } from './link-book.ts';
import type { Program } from './processes.ts';
import { ROOT } from './runtime.ts';

const USE_CASE = join(ROOT, 'flows', 'uc-2.1-setpoint-following');

/** What `npm start` shows on a fresh clone. Scripts are relative to the root. */
export const DEMO = {
  siteFile: join(USE_CASE, 'site.json'),
  flow: join(USE_CASE, 'UC 2.1 Setpoint following.json'),
  programs,
} as const;

/** The simulated peers of the links that are up: stations once there is an OCPP server, an operator once there is an FO link. */
function programs(links: readonly LinkPlace[]): Program[] {
  const stations = links.find((l) => l.type === 'v2gate-ocpp-server');
  const operators = links.find((l) => l.type === 'v2gate-fo-link');
  return [
    ...(stations ? [{ name: 'stations', script: 'simulators/stations/main.ts', args: ['--url', stations.url] }] : []),
    ...(operators ? [{ name: 'operator', script: 'simulators/fo/main.ts', args: ['--url', operators.url] }] : []),
  ];
}
