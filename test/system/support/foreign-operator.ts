import { type ForeignEvent, ForeignProgram } from './foreign.ts';
import { program } from './python.ts';

export interface ForeignOperatorOptions {
  /** `ws://…/fo` or `mqtt://host:port`. */
  readonly url: string;
  readonly party: string;
  /** The gateway. */
  readonly to: string;
  /** Where its public keys are. */
  readonly jwks: string;
  readonly mqttVersion?: 4 | 5;
  /** With which it says who it is. */
  readonly token: string;
}

/** A flexibility operator in Python that shares no code with the gateway; see `python/fo.py`. */
export class ForeignOperator extends ForeignProgram {
  #requests = 0;

  constructor(python: string, o: ForeignOperatorOptions) {
    const version = o.mqttVersion === undefined ? [] : ['--mqtt-version', `${o.mqttVersion}`];
    const args = ['--url', o.url, '--party', o.party, '--to', o.to, '--jwks', o.jwks, ...version];
    const child = program(python, 'fo.py', `operator ${o.party}`, args);
    super({ ...child, env: { ...child.env, FO_TOKEN: o.token } });
  }

  /** The Result of a request. */
  async request(type: string, body: object): Promise<ForeignEvent> {
    const id = `request-${++this.#requests}`;
    const from = this.mark;
    await this.tell('request', { type, body, id }, 20_000);
    return this.next('result', (e) => e.id === id, 1_000, from);
  }

  /** The body of a message of this type that fits; with `problem`, what is wrong with its signature. */
  async heard(type: string, holds: (body: Body) => boolean = () => true, ms = 15_000, from = 0): Promise<Heard> {
    const e = await this.next('message', (m) => m.type === type && isBody(m.body) && holds(m.body), ms, from);
    return { body: isBody(e.body) ? e.body : {}, problem: e.problem };
  }
}

export type Body = Readonly<Record<string, unknown>>;
export interface Heard {
  readonly body: Body;
  /** `none`, where the signature holds. */
  readonly problem: unknown;
}

const isBody = (value: unknown): value is Body => typeof value === 'object' && value !== null;
