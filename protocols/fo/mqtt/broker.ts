import { createServer, type Server, type Socket } from 'node:net';
import { duplexPair } from 'node:stream';
import type { AuthenticateError, Client } from 'aedes';
import { BoundedMap } from '../../../core/bounded.ts';
import { codeOf } from '../../../core/errors.ts';
import { LISTEN_ERRORS } from '../../../core/listen.ts';
import { createTlsServer } from '../../../core/tls.ts';
import { isLoopback } from '../auth.ts';
import { FO_LINK_ERRORS } from '../errors.ts';
import { DEFAULT_PARTIES } from '../parties.ts';
import { mayPublish, maySubscribe } from './acl.ts';
import { loadAedes } from './aedes.ts';
import { PacketGuard } from './guard.ts';
import { MAX_PACKET_BYTES } from './line.ts';
import type { FoBroker, FoBrokerOptions, FoBrokerPrincipal } from './types.ts';

/** CONNACK codes of MQTT 3.1.1. */
const IDENTIFIER_REJECTED = 2;
const BAD_PASSWORD = 4;
const CONNECT_WITHIN_MS = 10_000;
/** A client that does not read for this long is cut off, so that it holds nobody up. */
const DRAIN_WITHIN_MS = 5_000;

/**
 * A broker in this process, for MQTT 3.1.1, with the topics of the FO interface and no others. Sessions are not kept over a
 * connection: the message session above repeats what is missing. Rejects with `port.taken`, `fo.listenFailed`,
 * `fo.insecure`, `fo.noBroker`.
 */
export async function createFoBroker(o: FoBrokerOptions): Promise<FoBroker> {
  if (!o.tls && !isLoopback(o.host) && o.allow !== 'plainTextOutsideLoopback') throw FO_LINK_ERRORS.fail('fo.insecure');
  const { Aedes } = await loadAedes();
  const max = 4 * (o.maxParties ?? DEFAULT_PARTIES);
  const principals = new BoundedMap<Client, FoBrokerPrincipal>({ name: 'fo.brokerClients', max, overflow: 'refuse' });
  const { log } = o;
  const stopCollecting = o.metrics?.collect('v2gate_fo_bound', () => [principals.stats()]);
  const aedes = await Aedes.createBroker({
    connectTimeout: CONNECT_WITHIN_MS,
    drainTimeout: DRAIN_WITHIN_MS,
    maxTopicLevels: 8,
    concurrency: 1000,
    preConnect(_client, packet, done) {
      packet.clean = true;
      done(null, true);
    },
    authenticate(client, user, password, done) {
      identify(o, client, user, password)
        .then((who) => {
          if (typeof who === 'number') {
            const why = who === BAD_PASSWORD ? 'user or password' : 'the client id is not that of the user';
            log.warn('fo.refusedConnection', { code: 'auth.failed', user: user?.slice(0, 64), why });
            return done(refusal(who), false);
          }
          if (!principals.set(client, who)) return done(refusal(IDENTIFIER_REJECTED), false);
          return done(null, true);
        })
        .catch(() => done(refusal(BAD_PASSWORD), false));
    },
    authorizePublish(client, packet, done) {
      const who = client && principals.get(client);
      if (who && mayPublish(who, packet.topic, packet.retain)) return done(null);
      log.warn('fo.brokerRefused', { client: client?.id, topic: packet.topic.slice(0, 200) });
      return done(new Error('not yours'));
    },
    authorizeSubscribe(client, subscription, done) {
      const who = principals.get(client);
      if (who && maySubscribe(who, subscription.topic)) return done(null, subscription);
      log.warn('fo.brokerRefused', { client: client.id, filter: subscription.topic.slice(0, 200) });
      return done(null, null);
    },
  });
  aedes.on('clientDisconnect', (client) => void principals.delete(client));
  aedes.on('connectionError', (client, e) => {
    principals.delete(client);
    log.debug('fo.brokerConnection', { what: e.message });
  });
  aedes.on('clientError', (client, e) => log.debug('fo.brokerClient', { client: client.id, what: e.message }));
  const accept = (socket: Socket): void => {
    socket.setNoDelay(true);
    aedes.handle(new PacketGuard(socket, MAX_PACKET_BYTES));
  };
  const server = o.tls
    ? createTlsServer(o.tls.source, { profile: o.tls.profile ?? 'modern' }, accept)
    : createServer(accept);
  server.maxConnections = max;
  const port = await listen(server, o).catch(async (e: unknown) => {
    await new Promise<void>((resolve) => aedes.close(() => resolve()));
    throw e;
  });
  const host = o.host.includes(':') ? `[${o.host}]` : o.host;
  const url = `${o.tls ? 'mqtts' : 'mqtt'}://${host}:${port}`;
  log.info('fo.brokerListening', { url });
  return {
    url,
    port,
    connect() {
      const [ours, theirs] = duplexPair();
      // Unlike those of a socket, the ends of a pair do not close one another.
      ours.once('close', () => theirs.destroy());
      theirs.once('close', () => ours.destroy());
      aedes.handle(theirs);
      return ours;
    },
    async close() {
      stopCollecting?.();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
      await closed;
    },
  };
}

/** The party behind user and password, or with which code it is refused. */
async function identify(
  o: FoBrokerOptions,
  client: Client,
  user: string | undefined,
  password: Buffer | undefined,
): Promise<FoBrokerPrincipal | number> {
  if (user === undefined) return BAD_PASSWORD;
  const who = await o.authenticate({
    user,
    password: password?.toString('utf8'),
    loopback: isLoopback(remoteOf(client)),
  });
  if (who === undefined) return BAD_PASSWORD;
  const id = 'foId' in who ? who.foId : who.gwId;
  // A foreign client id would take over the connection of whoever uses it.
  return client.id === id || client.id.startsWith(`${id}/`) ? who : IDENTIFIER_REJECTED;
}

function remoteOf({ conn }: Client): string {
  const address: unknown = Reflect.get(conn, 'remoteAddress');
  return typeof address === 'string' ? address : '';
}

const refusal = (returnCode: number): AuthenticateError => Object.assign(new Error('refused'), { returnCode });

async function listen(server: Server, o: FoBrokerOptions): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(o.port, o.host, () => resolve());
  }).catch((e: unknown) => {
    if (codeOf(e) === 'EADDRINUSE')
      throw LISTEN_ERRORS.fail('port.taken', `Port ${o.port} is in use by another program.`);
    throw FO_LINK_ERRORS.fail('fo.listenFailed', `Cannot listen on ${o.host}:${o.port} (${codeOf(e) ?? 'unknown'}).`);
  });
  server.on('error', (e) => o.log.error('fo.serverError', { code: codeOf(e), what: e.message }));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : o.port;
}
