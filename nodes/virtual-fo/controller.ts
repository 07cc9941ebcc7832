import type { SimulatorProgram } from '../../hub/ports.ts';
import type { Site } from '../../hub/site/types.ts';
import { textOf, wordOf } from '../base/config.ts';
import { NODE_ERRORS } from '../base/errors.ts';
import type { NodeHost } from '../base/host.ts';
import { linkOf } from '../base/link-holder.ts';
import type { SavedConfig } from '../base/migrate.ts';
import { Virtual } from '../virtual/controller.ts';
import { OperatorTally } from './tally.ts';

const SCENARIOS = ['setpoints', 'congestion', 'north', 'south', 'rough', 'file'] as const;
/** How long a setpoint from a flow holds against the scenario, s. */
const HOLD_S = 60;

/** A simulated flexibility operator that connects to an FO link of this gateway. */
export function createVirtualFo(host: NodeHost, config: SavedConfig): Virtual {
  return new Virtual(host, config, {
    link: linkOf(host, config.link, 'an FO link'),
    tally: new OperatorTally(),
    program: (site, url) => programOf(host, config, site, url),
    orderOf,
  });
}

function programOf(host: NodeHost, config: SavedConfig, site: Site, url: string): SimulatorProgram {
  const scenario = wordOf(config, 'scenario', SCENARIOS);
  const file = textOf(config, 'file');
  if (scenario === 'file' && file === undefined)
    throw NODE_ERRORS.fail('nodes.config', 'Name the scenario file in this node.');
  const { parties = [], contracts = [], groups = [], operatorId } = site.file();
  const partyId = textOf(config, 'party') ?? parties.find((p) => p.role === 'fo')?.partyId;
  if (partyId === undefined) throw missing('operator', 'party of the role fo');
  const contractId = textOf(config, 'contract') ?? contracts.find((c) => c.foId === partyId)?.contractId;
  if (contractId === undefined) throw missing('contract', `contract with ${partyId}`);
  const groupId = textOf(config, 'group') ?? groups[0]?.groupId;
  if (groupId === undefined) throw missing('group', 'group');
  const token = tokenOf(host, config, site, partyId);
  return {
    kind: 'operator',
    url,
    scenario,
    partyId,
    to: operatorId,
    contractId,
    groupId,
    ...(file === undefined ? {} : { file }),
    ...(token === undefined ? {} : { token }),
  };
}

const missing = (what: string, where: string): Error =>
  NODE_ERRORS.fail('nodes.config', `Name the ${what} in this node; the site file has no ${where}.`);

/** Throws `nodes.config` where a secret is named that does not exist. */
function tokenOf({ runtime }: NodeHost, config: SavedConfig, site: Site, partyId: string): string | undefined {
  const known = site.file().partySecrets?.find((p) => p.partyId === partyId)?.tokenRef;
  const ref = textOf(config, 'passwordRef') ?? known;
  if (ref === undefined) return undefined;
  const token = runtime.secret(ref);
  if (token !== undefined) return token;
  throw NODE_ERRORS.fail('nodes.config', `There is no secret “${ref}”, with which the operator would log in.`);
}

/** A number is a setpoint; orders go on as they are, and the simulator says what it did not understand. */
function orderOf(payload: unknown): object {
  if (typeof payload === 'number' && Number.isFinite(payload))
    return { do: 'setpoint', targetW: payload, forS: HOLD_S };
  if (typeof payload === 'object' && payload !== null && 'do' in payload) return payload;
  throw NODE_ERRORS.fail(
    'nodes.message',
    'msg.payload must be start, stop, a setpoint in W, or an order like {"do": "mute", "forS": 20}.',
  );
}
