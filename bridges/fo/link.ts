import { iso } from '../../core/clock.ts';
import { failPoint } from '../../core/failpoint.ts';
import { LinkOutlet } from '../../hub/links/outlet.ts';
import type { GatewayRuntime, Link, LinkEvents, LinkStatus } from '../../hub/ports.ts';
import type { Site } from '../../hub/site/types.ts';
import { HUB_MESSAGES, type ResultBody, type WireMessage } from '../../model/index.ts';
import { FO_ERRORS, type FoInbound } from '../../protocols/fo/index.ts';
import { FoAccess } from './access.ts';
import type { FoLinkConfig } from './config.ts';
import { type Door, openDoor } from './doors.ts';
import { hubName, outgoingType, publishTo, streamTo } from './outgoing.ts';
import { FoTap } from './tapped.ts';

/** The FO interface of one site, over WebSockets or a broker: operators on one side, the hub on the other. */
export class FoLink implements Link {
  readonly linkId: string;
  readonly #config: FoLinkConfig;
  readonly #runtime: GatewayRuntime;
  readonly #site: Site;
  readonly #outlet: LinkOutlet;
  readonly #tap: FoTap;
  readonly #undo: (() => void)[] = [];
  #door: Door | undefined;

  constructor(config: FoLinkConfig, runtime: GatewayRuntime, site: Site) {
    this.linkId = config.linkId;
    this.#config = config;
    this.#runtime = runtime;
    this.#site = site;
    this.#outlet = new LinkOutlet(runtime.log, 'fo');
    this.#tap = new FoTap(runtime.trace, config.linkId);
  }

  async open(): Promise<void> {
    const site = this.#site;
    const news = (): void => this.#outlet.emit('status', this.status());
    this.#door = await openDoor({
      config: this.#config,
      runtime: this.#runtime,
      site,
      access: new FoAccess(site, this.#runtime),
      handlers: {
        onMessage: (m) => this.#received(m),
        onUp: ({ peer, clockOffsetMs }) => {
          news();
          site.partyUp(peer, { clockOffsetMs });
        },
        onDown: (peer, reason) => {
          news();
          site.partyDown(peer, reason);
        },
        onClock: (peer, offsetMs) => site.evidence.clockOffset(peer, offsetMs),
      },
      onBroker: news,
    });
    this.#undo.push(
      site.attachReplies({
        linkId: this.linkId,
        reply: (replyTo, result) => this.#reply(replyTo, result),
      }),
      site.on('reloaded', ({ ok }) => (ok ? this.#door?.reload() : undefined)),
    );
    news();
  }

  get url(): string {
    return this.#door?.server.url ?? '';
  }

  status(): LinkStatus {
    const door = this.#door;
    const peers = door?.server.peers() ?? [];
    const who = peers.length === 0 ? 'no operator connected' : peers.join(', ');
    if (!door) return { state: 'down', text: `${who} · port ${this.#config.port}`, peers: 0 };
    if (!door.open()) return { state: 'degraded', text: `${door.place()} is not reached`, peers: peers.length };
    return { state: 'up', text: `${who} · ${door.place()}`, peers: peers.length };
  }

  on<E extends keyof LinkEvents>(event: E, listener: (payload: LinkEvents[E]) => void): () => void {
    return this.#outlet.on(event, listener);
  }

  /** Takes what goes to a party: decisions and notices into its outbox, telemetry as a stream, Results as answers. */
  async send(message: WireMessage): Promise<void> {
    const { peer, id } = message.v2gate;
    if (/^(hub|fo1)\/Result(Body)?$/.test(message.topic)) return this.#answer(message);
    const type = outgoingType(message);
    if (peer === undefined)
      throw FO_ERRORS.fail('id.unknown', 'The message names no party.', {
        remedy: 'Set msg.v2gate.peer to the party it goes to.',
      });
    const session = this.#door?.server.session(peer);
    if (!session) throw FO_ERRORS.fail('internal.temporary', 'The FO link is closed.');
    if (type === 'Telemetry') {
      if (streamTo(session, message)) this.#tap.sent(type, message);
      return;
    }
    failPoint('notice.told');
    await publishTo(session, type, message);
    this.#tap.sent(type, message);
    this.#site.delivered(id);
  }

  async close(): Promise<void> {
    for (const undo of this.#undo.splice(0)) undo();
    const door = this.#door;
    this.#door = undefined;
    await door?.close();
    this.#outlet.emit('status', this.status());
    this.#outlet.clear();
  }

  #answer({ payload, v2gate: { replyTo } }: WireMessage): void {
    const result = HUB_MESSAGES.ResultBody.parse(payload);
    if (replyTo === undefined || !this.#reply(replyTo, result)) {
      throw FO_ERRORS.fail('id.unknown', 'Nobody waits for this answer any more.');
    }
  }

  #reply(replyTo: string, result: ResultBody): boolean {
    const answered = this.#door?.server.answer(replyTo, result) ?? false;
    if (answered) this.#tap.answered(replyTo, result);
    return answered;
  }

  #received(m: FoInbound): void {
    this.#tap.received(m);
    this.#outlet.emit('message', {
      topic: this.#config.speaks === 'hub' ? `hub/${hubName(m.type)}` : `fo1/${m.type}`,
      payload: m.body,
      v2gate: {
        id: m.messageId,
        at: iso(m.receivedAt),
        link: this.linkId,
        peer: m.peer,
        ...(m.replyTo === undefined ? {} : { replyTo: m.replyTo }),
        ...(m.signature === undefined ? {} : { signature: m.signature }),
      },
    });
  }
}
