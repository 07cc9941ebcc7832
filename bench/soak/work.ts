import type { GatewayProcess } from '../../test/system/support/gateway.ts';
import type { Operator } from '../e2e/operator.ts';
import type { Stations } from '../e2e/processes.ts';

/** What the soak has done to the gateway so far. */
export interface Done {
  setpoints: number;
  refusedSetpoints: number;
  reconnects: number;
  deploys: number;
}

const RECONNECT_MS = 300;
const AWAY_MS = 2_000;
const DEPLOY_MS = 60_000;
const SETPOINT_MS = 4_000;

/** Starts reconnects (a few a second), a full deploy a minute, and a setpoint every 4 s. The result stops them. */
export function startWork(w: {
  readonly gateway: GatewayProcess;
  readonly stations: Stations;
  readonly operator: Operator;
  readonly identities: readonly string[];
  readonly done: Done;
  readonly fail: (e: unknown) => void;
}): () => void {
  const { done, identities, stations } = w;
  const count = identities.length;
  const away = new Set<NodeJS.Timeout>(); // bounded by: the reconnects of 2 s
  let [next, targets] = [0, 0];
  const timers = [
    setInterval(() => {
      const identity = identities[next++ % count] ?? '';
      stations.fault(identity, 'disconnect');
      const back = setTimeout(() => {
        away.delete(back);
        stations.fault(identity, 'none');
        done.reconnects++;
      }, AWAY_MS);
      away.add(back);
    }, RECONNECT_MS),
    setInterval(() => {
      deploy(w.gateway, done.deploys).then(() => done.deploys++, w.fail);
    }, DEPLOY_MS),
    setInterval(() => {
      const watts = count * (targets++ % 2 === 0 ? 4_000 : 8_000);
      w.operator.setpoint(watts).then(
        () => done.setpoints++,
        () => done.refusedSetpoints++,
      );
    }, SETPOINT_MS),
  ];
  return () => {
    for (const timer of [...timers, ...away]) clearInterval(timer);
  };
}

/** A full deploy as the editor makes it, in which only the name of a comment is new. */
async function deploy(gateway: GatewayProcess, n: number): Promise<void> {
  const url = `${gateway.url}/flows`;
  const headers = { 'Node-RED-API-Version': 'v2', 'content-type': 'application/json' };
  const { rev, flows } = (await (await fetch(url, { headers })).json()) as {
    readonly rev: string;
    readonly flows: readonly { readonly type: string }[];
  };
  const changed = flows.map((node) => (node.type === 'comment' ? { ...node, name: `deploy ${n}` } : node));
  const response = await fetch(url, {
    method: 'POST',
    headers: { ...headers, 'Node-RED-Deployment-Type': 'full' },
    body: JSON.stringify({ rev, flows: changed }),
  });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`a deploy was answered ${response.status}`);
}
