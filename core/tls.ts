import type { RequestListener } from 'node:http';
import { createServer as createHttps, type Server as HttpsServer } from 'node:https';
import { createServer as createTls, type TLSSocket, type TlsOptions, type Server as TlsServer } from 'node:tls';
import { errorTable } from './errors.ts';

/** Certificate chain, private key and trusted issuers, all PEM. */
export interface TlsMaterial {
  readonly cert: string;
  readonly key: string;
  /** Issuers of client certificates that count as verified. */
  readonly ca?: string;
}

/** Certificates that may change while servers run. */
export interface TlsSource {
  readonly material: TlsMaterial;
  /** Called when another certificate has taken the place of the present one. */
  onChange(listener: () => void): () => void;
  close(): void;
}

export const TLS_ERRORS = errorTable('tls', {
  'tls.broken': {
    what: 'Certificate and key cannot be used.',
    remedy: 'Give a certificate chain and its private key in PEM, without passphrase, that belong together.',
    retry: 'afterFix',
  },
  'tls.unreadable': {
    what: 'A certificate file cannot be read.',
    remedy: 'Check the path, and that the user of the gateway may read the file.',
    retry: 'afterFix',
  },
  'tls.noMaker': {
    what: 'A development certificate cannot be made, because the package selfsigned is not installed here.',
    remedy: 'Give a certificate with V2GATE_TLS_CERT and V2GATE_TLS_KEY, or run `npm install selfsigned@5`.',
    retry: 'afterFix',
  },
});

const TLS13 = ['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'];
/** AEAD with ephemeral keys (fo 9.4). */
const AEAD_ECDHE = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
];
/** What stations may need beyond these (ocpp 1.5): key exchange by RSA, for old hardware. */
const STATIONS = ['AES128-GCM-SHA256', 'AES256-GCM-SHA384'];

/** `modern`: TLS 1.3. `compatible`: also 1.2 with AEAD and ECDHE (fo 9.4). `stations`: the suites of ocpp 1.5. */
export type TlsProfile = 'modern' | 'compatible' | 'stations';

/** The options of a server with this certificate. `askClient`: client certificates are asked for, not demanded. */
export function tlsOptions({ cert, key, ca }: TlsMaterial, profile: TlsProfile, askClient = false): TlsOptions {
  const suites = [...TLS13, ...(profile === 'modern' ? [] : AEAD_ECDHE), ...(profile === 'stations' ? STATIONS : [])];
  return {
    cert,
    key,
    ...(ca === undefined ? {} : { ca }),
    minVersion: profile === 'modern' ? 'TLSv1.3' : 'TLSv1.2',
    ciphers: suites.join(':'),
    honorCipherOrder: true,
    ...(askClient ? { requestCert: true, rejectUnauthorized: false } : {}),
  };
}

export interface TlsServing {
  readonly profile: TlsProfile;
  readonly askClient?: boolean;
}

/** An HTTPS server whose new connections always get the present certificate; running ones stay. */
export function createHttpsServer(source: TlsSource, o: TlsServing, listener?: RequestListener): HttpsServer {
  return rotating(createHttps(tlsOptions(source.material, o.profile, o.askClient), listener), source, o);
}

/** The same for plain TLS sockets. */
export function createTlsServer(source: TlsSource, o: TlsServing, listener: (socket: TLSSocket) => void): TlsServer {
  return rotating(createTls(tlsOptions(source.material, o.profile, o.askClient), listener), source, o);
}

function rotating<S extends TlsServer | HttpsServer>(server: S, source: TlsSource, o: TlsServing): S {
  const off = source.onChange(() => server.setSecureContext(tlsOptions(source.material, o.profile, o.askClient)));
  server.once('close', off);
  // A peer that breaks off or fails the handshake costs itself its connection, nothing else.
  server.on('tlsClientError', (_e, socket) => socket.destroy());
  return server;
}
