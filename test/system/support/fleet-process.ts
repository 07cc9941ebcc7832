import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FleetFile } from '../../../simulators/stations/index.ts';
import { Child } from './child.ts';
import { ROOT } from './gateway.ts';

/** Simulated stations as a program of its own, told what to do line by line. */
export interface FleetProcess {
  readonly child: Child;
  /** Says it to a station, for example `{ fault: 'lie' }`. */
  tell(station: string, what: object): void;
  stop(): Promise<void>;
}

export async function startFleet(fleet: FleetFile, url: string, ca?: string): Promise<FleetProcess> {
  const dir = await mkdtemp(join(tmpdir(), 'v2gate-fleet-'));
  const file = join(dir, 'fleet.json');
  await writeFile(file, JSON.stringify(fleet));
  const caFile = join(dir, 'ca.pem');
  if (ca !== undefined) await writeFile(caFile, ca);
  const trust = ca === undefined ? [] : ['--ca', caFile];
  const child = new Child({
    name: 'stations',
    command: process.execPath,
    args: [join(ROOT, 'simulators/stations/main.ts'), '--url', url, '--fleet', file, ...trust],
    cwd: ROOT,
  });
  return {
    child,
    tell: (station, what) => child.say(JSON.stringify({ station, ...what })),
    async stop() {
      await child.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
