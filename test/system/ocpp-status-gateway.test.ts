import type { ForeignStation } from './support/foreign.ts';
import { foreignSite, SECRETS } from './support/foreign-site.ts';
import { GatewayProcess } from './support/gateway.ts';
import { pythonStation, pythonWithPackages } from './support/python.ts';
import { GatewayWorld } from './support/status-gateway.ts';
import { gatewayChecks } from './support/status-gateway-checks.ts';
import { statusTests } from './support/status-run.ts';
import { STATUS_WORDS } from './support/status-words.ts';

const identityOf = (version: string): string => `STATUS-${version}`;

let gateway: GatewayProcess | undefined;
const stations: ForeignStation[] = [];

/** Stations of another make have one EVSE; the site believes that they have two. */
function site() {
  const members = STATUS_WORDS.map(({ version }) => ({
    identity: identityOf(version),
    kind: 'ac' as const,
    meterS: 1,
  }));
  const { stations: made, ...rest } = foreignSite(members);
  const more = made.map((s) => ({ ...s, evses: s.evses.flatMap((e) => [e, { ...e, evse: 2 }]) }));
  return { ...rest, stations: more };
}

async function open(): Promise<readonly GatewayWorld[]> {
  const python = pythonWithPackages();
  const file = site();
  const made = await GatewayProcess.start({ env: SECRETS, site: file });
  gateway = made;
  await made.ready();
  const url = await made.link('stations');
  return STATUS_WORDS.map((words) => {
    const identity = identityOf(words.version);
    const station = pythonStation(python, words.script, { url, identity, meterS: 1, idle: true });
    stations.push(station);
    return new GatewayWorld({ words, gateway: made, station, identity, siteId: file.siteId, stationUrl: url });
  });
}

statusTests<GatewayWorld>({
  title: 'OCPP status: our gateway and a foreign station',
  side: 'gateway',
  open,
  async close() {
    await Promise.all(stations.map((s) => s.child.stop()));
    await gateway?.stop();
  },
  checks: gatewayChecks((w, identity) => {
    const url = w.stationUrl;
    return pythonStation(pythonWithPackages(), w.words.script, { url, identity, meterS: 1, idle: true });
  }),
  first: ['boot'],
  settle: (w) => w.settle(),
});
