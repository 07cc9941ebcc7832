import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child } from './support/child.ts';
import { ForeignPeer, type ForeignProgram } from './support/foreign.ts';
import { ROOT } from './support/gateway.ts';
import { pythonCsms, pythonWithPackages } from './support/python.ts';
import { statusTests } from './support/status-run.ts';
import { StationWorld, TAG } from './support/status-station.ts';
import { STATION_CHECKS } from './support/status-station-checks.ts';
import { STATUS_WORDS } from './support/status-words.ts';

const folder = mkdtempSync(join(tmpdir(), 'v2gate-status-'));
let csms: ForeignProgram | undefined;
let ours: Child | undefined;

async function open(): Promise<readonly StationWorld[]> {
  const made = await pythonCsms(pythonWithPackages());
  csms = made.csms;
  const peers = STATUS_WORDS.map((words) => ({ words, peer: new ForeignPeer(made.csms, `OUR-${words.version}`) }));
  const common = { phases: 3, maxImportW: 11_040, idTags: [TAG], meterIntervalS: 1 };
  const stations = peers.map(({ words, peer }) => ({ ...common, identity: peer.peer, version: words.protocol }));
  const fleet = join(folder, 'fleet.json');
  writeFileSync(fleet, JSON.stringify({ stations }));
  // The row boot-pending begins here.
  const payload = { status: 'Pending', currentTime: new Date().toISOString(), interval: 1 };
  for (const { peer } of peers) await peer.tell('answer', { action: 'BootNotification', payload, times: 1 });
  const child = new Child({
    name: 'our stations',
    command: process.execPath,
    args: [join(ROOT, 'simulators/stations/main.ts'), '--url', made.url, '--fleet', fleet],
    cwd: ROOT,
  });
  ours = child;
  return peers.map(({ words, peer }) => new StationWorld(words, made.csms, peer, child));
}

statusTests<StationWorld>({
  title: 'OCPP status: our station and a foreign CSMS',
  side: 'station',
  open,
  async close() {
    await Promise.all([ours?.stop(), csms?.stop()]);
    rmSync(folder, { recursive: true, force: true });
  },
  checks: STATION_CHECKS,
  first: ['boot-pending', 'boot'],
  settle: (w) => w.settle(),
});
