import { iso, realClock } from '../../core/clock.ts';
import { silentLog } from '../../core/log.ts';
import { createFoMqttClient, type FoClient } from '../../protocols/fo/index.ts';
import { FO_ID, GATEWAY_ID, GROUP_ID } from './site.ts';

const FSR_ID = 'bench-1';
const HOUR_MS = 3_600_000;

/** The operator of the bench: one setpoint service over all stations. */
export class Operator {
  readonly #client: FoClient;
  readonly #phases = new Set<string>();
  readonly #validityS: number;
  #seq = 0;

  private constructor(validityS: number, client: (onPhase: (phase: string) => void) => FoClient) {
    this.#validityS = validityS;
    this.#client = client((phase) => this.#phases.add(phase));
  }

  /** `validityS`: how long a setpoint holds. */
  static async start(url: string, count: number, validityS = 60): Promise<Operator> {
    const operator = new Operator(validityS, (onPhase) => open(url, onPhase));
    await operator.#until('the link is up', () => operator.#client.state === 'up');
    const highW = count * 20_000;
    const now = Date.now();
    const result = await operator.#client.request('RequestService', {
      fsr: {
        fsrId: FSR_ID,
        revision: 1,
        contractId: 'C-bench',
        serviceType: 'setpoint',
        target: { groupId: GROUP_ID, referencePoint: 'group' },
        window: { start: iso(now), end: iso(now + HOUR_MS) },
        decisionBy: iso(now + 20_000),
        mandatory: false,
        priority: 5,
        parameters: {
          mode: 'absolute',
          minW: -highW,
          maxW: highW,
          toleranceW: highW,
          updateIntervalS: 10,
          validityS: 60,
        },
        fallback: { onExpiry: 'zero' },
      },
    });
    if (result.status !== 'ok') throw new Error(`the request was answered ${JSON.stringify(result)}`);
    await operator.#until('the service is active', () => operator.#phases.has('active'));
    return operator;
  }

  /** Sends the next setpoint; answers when it left, epoch ms with fractions, once its Result is there. */
  async setpoint(targetW: number): Promise<{ readonly sentAtMs: number; readonly appliedW: unknown }> {
    const validUntil = iso(Date.now() + this.#validityS * 1000);
    const sentAtMs = performance.timeOrigin + performance.now();
    const result = await this.#client.request('UpdateSetpoint', {
      setpoint: { fsrId: FSR_ID, seq: ++this.#seq, targetW, validUntil },
    });
    if (result.status !== 'ok') throw new Error(`a setpoint was answered ${JSON.stringify(result)}`);
    return { sentAtMs, appliedW: result.data?.appliedW };
  }

  stop(): Promise<void> {
    return this.#client.close();
  }

  async #until(what: string, holds: () => boolean): Promise<void> {
    for (let i = 0; i < 300 && !holds(); i++) await new Promise((resolve) => setTimeout(resolve, 100));
    if (!holds()) throw new Error(`${what}: not within 30 s`);
  }
}

function open(url: string, onPhase: (phase: string) => void): FoClient {
  const client: FoClient = createFoMqttClient({
    url,
    partyId: FO_ID,
    to: GATEWAY_ID,
    clock: realClock(),
    log: silentLog,
    handlers: {
      onMessage(m) {
        if (m.type === 'ExecutionNotice') onPhase(m.body.phase);
        if (m.replyTo !== undefined) client.answer(m.replyTo, { status: 'ok' });
      },
    },
  });
  return client;
}
