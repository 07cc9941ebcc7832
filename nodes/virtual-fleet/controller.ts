import type { SimulatorProgram } from '../../hub/ports.ts';
import type { Site } from '../../hub/site/types.ts';
import { textOf, wordOf } from '../base/config.ts';
import { NODE_ERRORS } from '../base/errors.ts';
import type { NodeHost } from '../base/host.ts';
import { linkOf } from '../base/link-holder.ts';
import type { SavedConfig } from '../base/migrate.ts';
import { Virtual } from '../virtual/controller.ts';
import { FleetTally } from './tally.ts';

const MOST = 5_000;

/** Simulated stations that connect to an OCPP server of this gateway. */
export function createVirtualFleet(host: NodeHost, config: SavedConfig): Virtual {
  return new Virtual(host, config, {
    link: linkOf(host, config.server, 'an OCPP server'),
    tally: new FleetTally(),
    program: (site, url) => programOf(host, config, site, url),
    orderOf,
  });
}

function programOf(host: NodeHost, config: SavedConfig, site: Site, url: string): SimulatorProgram {
  const scenario = wordOf(config, 'scenario', ['demo', 'depot', 'many', 'file']);
  const versions = wordOf(config, 'versions', ['all', 'ocpp1.6', 'ocpp2.0.1', 'ocpp2.1']);
  const file = textOf(config, 'file');
  if (scenario === 'file' && file === undefined)
    throw NODE_ERRORS.fail('nodes.config', 'Name the fleet file in this node.');
  const password = passwordOf(host, config, site);
  return {
    kind: 'fleet',
    url,
    scenario,
    versions,
    count: countOf(config),
    ...(file === undefined ? {} : { file }),
    ...(password === undefined ? {} : { password }),
  };
}

function countOf(config: SavedConfig): number {
  const count = Number(textOf(config, 'count') ?? '10');
  if (Number.isInteger(count) && count >= 1 && count <= MOST) return count;
  throw NODE_ERRORS.fail('nodes.config', `The number of stations must be from 1 to ${MOST}.`);
}

/** The password that all stations log in with: the simulator has one for all. Throws `nodes.config` if it is unknown. */
function passwordOf({ runtime }: NodeHost, config: SavedConfig, site: Site): string | undefined {
  const ref = textOf(config, 'passwordRef') ?? site.file().stations.find((s) => s.passwordRef)?.passwordRef;
  if (ref === undefined) return undefined;
  const password = runtime.secret(ref);
  if (password !== undefined) return password;
  throw NODE_ERRORS.fail('nodes.config', `There is no secret “${ref}”, with which the stations would log in.`);
}

/** Orders go on as they are; the simulator says what it did not understand. */
function orderOf(payload: unknown): object {
  if (typeof payload === 'object' && payload !== null && 'station' in payload) return payload;
  if (typeof payload === 'object' && payload !== null && ['meter', 'baseW', 'pvW', 'resume'].some((k) => k in payload))
    return payload;
  throw NODE_ERRORS.fail(
    'nodes.message',
    'msg.payload must be start, stop, or an order like {"station": "*", "fault": "refuse"}.',
  );
}
