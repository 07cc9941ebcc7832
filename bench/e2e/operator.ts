import { setTimeout as sleep } from 'node:timers/promises';
import { iso, realClock } from '../../core/clock.ts';
import { silentLog } from '../../core/log.ts';
import { createFoClient, createFoMqttClient, type FoClient } from '../../protocols/fo/index.ts';
import { monotonicMs } from '../harness/accounting.ts';
import { CONTRACT_ID, FO_ID, GATEWAY_ID, GROUP_ID } from '../product/site.ts';

const HOUR_MS = 3_600_000;
const WAIT_MS = 30_000;

/** What an operator asks to steer. */
export interface SteeredGroup {
  readonly fsrId: string;
  readonly groupId: string;
  /** What the group can draw, and give back, W. */
  readonly maxW: number;
  readonly minW: number;
  /** How long the service lasts; default 1 h. */
  readonly hours?: number;
}

/** The operator of the bench: setpoint services over the whole fleet or parts of it, by WebSocket or MQTT. */
export class Operator {
  readonly #client: FoClient;
  readonly #active = new Set<string>(); // bounded by: the services that this bench asks for
  readonly #validityS: number;
  #seq = 0;

  private constructor(url: string, validityS: number) {
    this.#validityS = validityS;
    this.#client = open(url, (fsrId, phase) => (phase === 'active' ? this.#active.add(fsrId) : undefined));
  }

  /** One service over all stations. `validityS`: how long a setpoint holds. */
  static async start(url: string, count: number, validityS = 60): Promise<Operator> {
    const highW = count * 20_000;
    return Operator.over(url, [{ fsrId: 'bench-1', groupId: GROUP_ID, maxW: highW, minW: -highW }], validityS);
  }

  /** One service per group; resolves when all are active. `url`: of the gateway, or of its MQTT broker. */
  static async over(url: string, groups: readonly SteeredGroup[], validityS = 60): Promise<Operator> {
    const operator = new Operator(url, validityS);
    await until('the link is up', () => operator.#client.state === 'up');
    for (const group of groups) await operator.#ask(group);
    await until('the services are active', () => operator.#active.size === groups.length);
    return operator;
  }

  /** Sends the next setpoint; answers when it left, epoch ms and monotonic ms, once its Result is there. */
  async setpoint(
    targetW: number,
    fsrId = 'bench-1',
  ): Promise<{ readonly sentAtMs: number; readonly monotonicMs: number; readonly appliedW: unknown }> {
    const validUntil = iso(Date.now() + this.#validityS * 1000);
    const sentAtMs = performance.timeOrigin + performance.now();
    const sent = monotonicMs();
    const result = await this.#client.request('UpdateSetpoint', {
      setpoint: { fsrId, seq: ++this.#seq, targetW, validUntil },
    });
    if (result.status !== 'ok') throw new Error(`a setpoint was answered ${JSON.stringify(result)}`);
    return { sentAtMs, monotonicMs: sent, appliedW: result.data?.appliedW };
  }

  stop(): Promise<void> {
    return this.#client.close();
  }

  async #ask({ fsrId, groupId, maxW, minW, hours = 1 }: SteeredGroup): Promise<void> {
    const now = Date.now();
    const result = await this.#client.request('RequestService', {
      fsr: {
        fsrId,
        revision: 1,
        contractId: CONTRACT_ID,
        serviceType: 'setpoint',
        target: { groupId, referencePoint: 'group' },
        window: { start: iso(now), end: iso(now + hours * HOUR_MS) },
        decisionBy: iso(now + 20_000),
        mandatory: false,
        priority: 5,
        parameters: { mode: 'absolute', minW, maxW, toleranceW: maxW, updateIntervalS: 10, validityS: 60 },
        fallback: { onExpiry: 'zero' },
      },
    });
    if (result.status !== 'ok') throw new Error(`the request was answered ${JSON.stringify(result)}`);
  }
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let waited = 0; waited < WAIT_MS && !holds(); waited += 100) await sleep(100);
  if (!holds()) throw new Error(`${what}: not within ${WAIT_MS / 1000} s`);
}

function open(url: string, onPhase: (fsrId: string, phase: string) => void): FoClient {
  const common = { url, partyId: FO_ID, to: GATEWAY_ID, clock: realClock(), log: silentLog };
  const handlers = {
    onMessage(m: Parameters<Parameters<typeof createFoClient>[0]['handlers']['onMessage']>[0]) {
      if (m.type === 'ExecutionNotice') onPhase(m.body.fsrId, m.body.phase);
      if (m.replyTo !== undefined) client.answer(m.replyTo, { status: 'ok' });
    },
  };
  const client: FoClient = url.startsWith('mqtt')
    ? createFoMqttClient({ ...common, handlers })
    : createFoClient({ ...common, handlers });
  return client;
}
