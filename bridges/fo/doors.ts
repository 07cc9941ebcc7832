import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { sameSecret } from '../../core/secrets.ts';
import { openOnPort } from '../../hub/links/ports.ts';
import type { GatewayRuntime } from '../../hub/ports.ts';
import type { Site } from '../../hub/site/types.ts';
import {
  createFoBroker,
  createFoMqttGateway,
  createFoServer,
  FO_LINK_ERRORS,
  type FoHandlers,
  type FoPartiesOptions,
  type FoServer,
  type FoServerOptions,
  isLoopback,
} from '../../protocols/fo/index.ts';
import type { FoAccess } from './access.ts';
import type { FoLinkConfig } from './config.ts';
import { foPersistence } from './persistence.ts';

/** What a link needs to open its door to operators. */
export interface DoorOptions {
  readonly config: FoLinkConfig;
  readonly runtime: GatewayRuntime;
  readonly site: Site;
  readonly access: FoAccess;
  readonly handlers: FoHandlers;
  /** The way to the broker came up or was lost. */
  onBroker(): void;
}

/** The open door: where it is, and the sessions behind it. */
export interface Door {
  readonly server: FoServer;
  /** For people. */
  place(): string;
  /** False while the broker is not reached. */
  open(): boolean;
  /** The site file has changed. */
  reload(): void;
  close(): Promise<void>;
}

/** Rejects with `port.taken`, `fo.listenFailed`, `fo.insecure`. */
export const openDoor = (o: DoorOptions): Promise<Door> =>
  o.config.transport === 'mqtt' ? openMqtt(o) : openWebSocket(o);

function shared({ config, runtime, site, access, handlers }: DoorOptions): FoPartiesOptions {
  const { clock, log, metrics, store } = runtime;
  return {
    self: site.file().operatorId,
    clock,
    log: log.child({ link: config.linkId }),
    metrics,
    handlers,
    persistence: (peer) => foPersistence(store, clock, peer),
    signatures: (peer) => access.signatures(peer, config.requireSignature ?? 'catalogue'),
  };
}

/**
 * TLS where the gateway has a certificate. On other addresses than loopback every operator must have a token or a
 * certificate, unless that was given up in words (design 6). Throws `fo.insecure`.
 */
function protection({ config, runtime, access }: DoorOptions): Pick<FoServerOptions, 'tls' | 'allow'> {
  const { tls, settings } = runtime;
  if (settings.insecure === true) return { ...(tls?.fo ? { tls: tls.fo } : {}), allow: 'plainTextOutsideLoopback' };
  if (!isLoopback(config.host) && !access.protectsAll(config.transport === 'mqtt')) {
    throw FO_LINK_ERRORS.fail(
      'fo.insecure',
      `Operators could connect to ${config.host} without proving who they are.`,
      { remedy: 'Give every operator of the site file a token (partySecrets), or listen on 127.0.0.1.' },
    );
  }
  return tls?.fo ? { tls: tls.fo } : {};
}

async function openWebSocket(o: DoorOptions): Promise<Door> {
  const { config, access } = o;
  const server = await openOnPort(config.port, config.portSearch, (port) =>
    createFoServer({
      ...shared(o),
      host: config.host,
      port,
      path: config.path,
      authenticate: (request) => access.ofUpgrade(request),
      ...protection(o),
    }),
  );
  return {
    server,
    place: () => `port ${server.port}`,
    open: () => true,
    reload: () => undefined,
    close: () => server.close(),
  };
}

async function openMqtt(o: DoorOptions): Promise<Door> {
  const { config, runtime, site, access } = o;
  const own = config.broker === undefined ? await openOwnBroker(o) : undefined;
  const at = own ?? foreignBroker(config, runtime, site);
  const server = createFoMqttGateway({
    ...shared(o),
    url: at.url,
    user: at.user,
    ...(at.password === undefined ? {} : { password: at.password }),
    parties: access.operators(),
    ...(own ? { connect: () => own.connect() } : {}),
    onBroker: () => o.onBroker(),
  });
  return {
    server,
    place: () => `${own ? 'own broker' : 'broker'} ${at.url}`,
    open: () => server.connected,
    reload: () => server.serve(access.operators()),
    async close() {
      await server.close();
      await own?.close();
    },
  };
}

interface BrokerPlace {
  readonly url: string;
  readonly user: string;
  readonly password?: string | undefined;
}

interface OwnBroker extends BrokerPlace {
  connect(): Duplex;
  close(): Promise<void>;
}

/** Only this process knows the password with which it reaches its own broker. */
async function openOwnBroker(o: DoorOptions): Promise<OwnBroker> {
  const { config, runtime, site, access } = o;
  const gwId = site.file().operatorId;
  const password = randomBytes(24).toString('base64url');
  const broker = await openOnPort(config.port, config.portSearch, (port) =>
    createFoBroker({
      host: config.host,
      port,
      log: runtime.log.child({ link: config.linkId }),
      metrics: runtime.metrics,
      ...protection(o),
      authenticate: (request) =>
        request.user === gwId && sameSecret(password, request.password)
          ? { side: 'up', gwId }
          : access.ofBroker(request),
    }),
  );
  return { url: broker.url, user: gwId, password, connect: () => broker.connect(), close: () => broker.close() };
}

function foreignBroker({ broker }: FoLinkConfig, runtime: GatewayRuntime, site: Site): BrokerPlace {
  const { url = '', user, passwordRef } = broker ?? {};
  return {
    url,
    user: user ?? site.file().operatorId,
    password: passwordRef === undefined ? undefined : runtime.secret(passwordRef),
  };
}
