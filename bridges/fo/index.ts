import { iso } from '../../core/clock.ts';
import { sameSecret } from '../../core/secrets.ts';
import { HUB_ERRORS } from '../../hub/errors.ts';
import { LinkOutlet } from '../../hub/links/outlet.ts';
import { openOnPort } from '../../hub/links/ports.ts';
import type { GatewayRuntime, Link, LinkEvents, LinkStatus } from '../../hub/ports.ts';
import type { Site } from '../../hub/site/types.ts';
import { HUB_MESSAGES, type WireMessage } from '../../model/index.ts';
import {
  createFoServer,
  FO_ERRORS,
  type FoAuthAnswer,
  type FoAuthRequest,
  type FoInbound,
  type FoServer,
} from '../../protocols/fo/index.ts';
import { foPersistence } from './persistence.ts';

/** Configuration of a link on which flexibility operators connect. */
export interface FoLinkConfig {
  readonly linkId: string;
  readonly siteId: string;
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  readonly path: string;
  /** Move on to the next free port when this one is taken. */
  readonly portSearch: boolean;
  /** `hub`: topics `hub/<Message>`; `native`: `fo1/<Type>`. Bodies are the same (design 3). */
  readonly speaks: 'hub' | 'native';
}

/** Opens the FO interface of a site. Rejects with `site.unknown` or `port.taken`. */
export async function openFoLink(config: FoLinkConfig, runtime: GatewayRuntime): Promise<Link> {
  const site = runtime.sites.get(config.siteId);
  if (!site) throw HUB_ERRORS.fail('site.unknown', `The site ${config.siteId} is not open.`);
  const link = new FoLink(config, runtime, site);
  await link.open();
  return link;
}

class FoLink implements Link {
  readonly linkId: string;
  readonly #config: FoLinkConfig;
  readonly #runtime: GatewayRuntime;
  readonly #site: Site;
  readonly #outlet: LinkOutlet;
  #server: FoServer | undefined;
  #detach: (() => void) | undefined;

  constructor(config: FoLinkConfig, runtime: GatewayRuntime, site: Site) {
    this.linkId = config.linkId;
    this.#config = config;
    this.#runtime = runtime;
    this.#site = site;
    this.#outlet = new LinkOutlet(runtime.log, 'fo');
  }

  async open(): Promise<void> {
    const config = this.#config;
    const runtime = this.#runtime;
    this.#server = await openOnPort(config.port, config.portSearch, (port) =>
      createFoServer({
        host: config.host,
        port,
        path: config.path,
        self: this.#site.file().operatorId,
        clock: runtime.clock,
        log: runtime.log.child({ link: config.linkId }),
        metrics: runtime.metrics,
        authenticate: (request) => this.#authenticate(request),
        persistence: (peer) => foPersistence(runtime.store, runtime.clock, peer),
        handlers: {
          onMessage: (m) => this.#received(m),
          onUp: () => this.#outlet.emit('status', this.status()),
          onDown: () => this.#outlet.emit('status', this.status()),
        },
      }),
    );
    this.#detach = this.#site.attachReplies({
      linkId: this.linkId,
      reply: (replyTo, result) => this.#server?.answer(replyTo, result) ?? false,
    });
  }

  get url(): string {
    return this.#server?.url ?? '';
  }

  status(): LinkStatus {
    const peers = this.#server?.peers() ?? [];
    const who = peers.length === 0 ? 'no operator connected' : peers.join(', ');
    return {
      state: this.#server ? 'up' : 'down',
      text: `${who} · port ${this.#server?.port ?? this.#config.port}`,
      peers: peers.length,
    };
  }

  on<E extends keyof LinkEvents>(event: E, listener: (payload: LinkEvents[E]) => void): () => void {
    return this.#outlet.on(event, listener);
  }

  /** Takes what goes to a party: decisions and notices into its outbox, telemetry as a stream, Results as answers. */
  async send(message: WireMessage): Promise<void> {
    const { peer, replyTo, id } = message.v2gate;
    const name = message.topic.replace(/^(hub|fo1)\//, '');
    if (name === 'ResultBody' || name === 'Result') {
      const result = HUB_MESSAGES.ResultBody.parse(message.payload);
      if (replyTo === undefined || !this.#server?.answer(replyTo, result)) {
        throw FO_ERRORS.fail('id.unknown', 'Nobody waits for this answer any more.');
      }
      return;
    }
    if (peer === undefined)
      throw FO_ERRORS.fail('id.unknown', 'The message names no party.', {
        remedy: 'Set msg.v2gate.peer to the party it goes to.',
      });
    const session = this.#server?.session(peer);
    if (!session) throw FO_ERRORS.fail('internal.temporary', 'The FO link is closed.');
    switch (name) {
      case 'ServiceDecision':
        await session.publish('ServiceDecision', HUB_MESSAGES.ServiceDecision.parse(message.payload));
        break;
      case 'ExecutionNotice':
        await session.publish('ExecutionNotice', HUB_MESSAGES.ExecutionNotice.parse(message.payload));
        break;
      case 'CancelService':
        await session.publish('CancelService', HUB_MESSAGES.CancelService.parse(message.payload));
        break;
      case 'OptChoice':
        await session.publish('Opt', HUB_MESSAGES.OptChoice.parse(message.payload));
        break;
      case 'Telemetry':
        session.stream('Telemetry', HUB_MESSAGES.Telemetry.parse(message.payload));
        return;
      default:
        throw FO_ERRORS.fail('type.unknown', `${message.topic} is not sent to flexibility operators.`);
    }
    this.#site.delivered(id);
  }

  async close(): Promise<void> {
    this.#detach?.();
    const server = this.#server;
    this.#server = undefined;
    await server?.close();
    this.#outlet.emit('status', this.status());
    this.#outlet.clear();
  }

  #received(m: FoInbound): void {
    const name = m.type === 'Opt' ? 'OptChoice' : m.type;
    this.#outlet.emit('message', {
      topic: this.#config.speaks === 'hub' ? `hub/${name}` : `fo1/${m.type}`,
      payload: m.body,
      v2gate: {
        id: m.messageId,
        at: iso(m.receivedAt),
        link: this.linkId,
        peer: m.peer,
        ...(m.replyTo === undefined ? {} : { replyTo: m.replyTo }),
      },
    });
  }

  /** A party with a token must show it; others are believed on loopback only (design 6). */
  #authenticate(request: FoAuthRequest): FoAuthAnswer {
    const { partySecrets = [], parties = [] } = this.#site.file();
    const credentials = request.credentials;
    const given =
      credentials === undefined
        ? undefined
        : credentials.scheme === 'bearer'
          ? credentials.token
          : credentials.password;
    if (given !== undefined) {
      const match = partySecrets.find((s) => sameSecret(this.#runtime.secret(s.tokenRef), given));
      return match ? { partyId: match.partyId } : { refuse: 'auth.failed' };
    }
    const open = parties.filter((p) => p.role === 'fo' && !partySecrets.some((s) => s.partyId === p.partyId));
    if (!request.loopback || open.length === 0) return { refuse: 'auth.failed' };
    return { fromHello: true, allows: (partyId) => open.some((p) => p.partyId === partyId) };
  }
}
