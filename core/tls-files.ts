import { createPrivateKey, X509Certificate } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { BoundedSet } from './bounded.ts';
import { type Clock, every, iso } from './clock.ts';
import { codeOf, describeError } from './errors.ts';
import type { Log } from './log.ts';
import { TLS_ERRORS, type TlsMaterial, type TlsSource } from './tls.ts';

const LOOK_MS = 5_000;
const DAY_MS = 86_400_000;
/** A development certificate is made anew when it has less left than this. */
const RENEW_MS = 30 * DAY_MS;
const VALID_DAYS = 365;
/** From here on the log warns that a certificate ends. */
const WARN_MS = 21 * DAY_MS;

export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string | undefined;
}

interface Around {
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Certificates from files, looked at every 5 s. What has changed and is whole takes the place of the present one; what is
 * broken is reported once and the present one stays. Rejects with `tls.unreadable` or `tls.broken`.
 */
export async function openTlsFiles(files: TlsFiles, { clock, log }: Around): Promise<TlsSource> {
  const listeners = new BoundedSet<() => void>({ name: 'tls.listeners', max: 64, overflow: 'refuse' });
  let material = await readMaterial(files);
  checkMaterial(material);
  tellEnd(material, clock, log);
  let reported = '';
  let looking = false;
  const look = async (): Promise<void> => {
    if (looking) return;
    looking = true;
    try {
      const found = await readMaterial(files);
      if (same(found, material)) reported = '';
      else {
        checkMaterial(found);
        material = found;
        reported = '';
        log.info('tls.rotated', { subject: subjectOf(found) });
        tellEnd(found, clock, log);
        for (const listener of [...listeners]) listener();
      }
    } catch (e) {
      const { code, what, remedy } = describeError(e);
      if (reported !== what) log.error('tls.kept', { code, what: `${what} The certificate in use stays.`, remedy });
      reported = what;
    } finally {
      looking = false;
    }
  };
  const timer = every(clock, LOOK_MS, () => void look());
  return {
    get material() {
      return material;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close: () => timer.cancel(),
  };
}

/**
 * A certificate of our own for development: made once, kept in `folder` (key readable by its owner only), renewed before
 * it ends. Nobody trusts it unless told to: peers need the certificate file. Rejects with `tls.unreadable`.
 */
export async function openDevelopmentTls(
  folder: string,
  around: Around,
): Promise<TlsSource & { readonly certFile: string }> {
  const files = { cert: join(folder, 'development-cert.pem'), key: join(folder, 'development-key.pem') };
  const { clock, log } = around;
  const kept = await readMaterial(files).catch(() => undefined);
  if (!kept || !isFresh(kept, clock.now())) await makeDevelopmentFiles(folder, files, clock.now());
  log.warn('tls.development', {
    what: 'A development certificate is in use: it protects against listeners, not against somebody who stands in between.',
    remedy: `Give a real one by V2GATE_TLS_CERT and V2GATE_TLS_KEY, or let peers trust ${files.cert}.`,
  });
  const source = await openTlsFiles(files, around);
  return {
    certFile: files.cert,
    get material() {
      return source.material;
    },
    onChange: (listener) => source.onChange(listener),
    close: () => source.close(),
  };
}

/** Throws `tls.broken` unless chain and key can be used together. */
export function checkMaterial({ cert, key, ca }: TlsMaterial): void {
  try {
    createSecureContext({ cert, key, ...(ca === undefined ? {} : { ca }) });
    if (new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) return;
  } catch {
    // What a library says here may quote the file.
  }
  throw TLS_ERRORS.fail('tls.broken');
}

async function readMaterial({ cert, key, ca }: TlsFiles): Promise<TlsMaterial> {
  const read = async (file: string): Promise<string> => {
    try {
      return await readFile(file, 'utf8');
    } catch (e) {
      throw TLS_ERRORS.fail('tls.unreadable', `${file} cannot be read (${codeOf(e) ?? 'unknown'}).`);
    }
  };
  const [certText, keyText, caText] = [
    await read(cert),
    await read(key),
    ca === undefined ? undefined : await read(ca),
  ];
  return { cert: certText, key: keyText, ...(caText === undefined ? {} : { ca: caText }) };
}

const same = (a: TlsMaterial, b: TlsMaterial): boolean => a.cert === b.cert && a.key === b.key && a.ca === b.ca;

const subjectOf = ({ cert }: TlsMaterial): string => new X509Certificate(cert).subject;

function tellEnd({ cert }: TlsMaterial, clock: Clock, log: Log): void {
  const endsAt = Date.parse(new X509Certificate(cert).validTo);
  const left = endsAt - clock.now();
  if (left < WARN_MS) log.warn('tls.ends', { at: iso(endsAt), ended: left <= 0 });
}

/** Long enough valid, and for the names that this machine has now. */
function isFresh(material: TlsMaterial, now: number): boolean {
  try {
    checkMaterial(material);
    const cert = new X509Certificate(material.cert);
    const inTime = Date.parse(cert.validFrom) <= now && Date.parse(cert.validTo) - now > RENEW_MS;
    return inTime && cert.checkHost(hostname()) !== undefined;
  } catch {
    return false;
  }
}

async function makeDevelopmentFiles(folder: string, files: TlsFiles, now: number): Promise<void> {
  const made = await makeCertificate({ now });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const [file, text] of [
    [files.key, made.key],
    [files.cert, made.cert],
  ] as const) {
    await writeFile(file, text, { mode: 0o600 });
    // An existing file keeps its mode when it is written.
    await chmod(file, 0o600);
  }
}

/**
 * A self-signed P-256 certificate for this machine: localhost, the loopback addresses, the host name. Rejects with
 * `tls.noMaker` where the package for it is not installed.
 */
export async function makeCertificate(o: { readonly now: number; readonly days?: number }): Promise<TlsMaterial> {
  const { generate } = await import('selfsigned').catch(() => {
    throw TLS_ERRORS.fail('tls.noMaker');
  });
  const name = hostname();
  const made = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notBeforeDate: new Date(o.now - DAY_MS),
    notAfterDate: new Date(o.now + (o.days ?? VALID_DAYS) * DAY_MS),
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'keyUsage', digitalSignature: true },
      { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          ...(name === 'localhost' ? [] : [{ type: 2 as const, value: name }]),
          { type: 7, ip: '127.0.0.1' },
          { type: 7, ip: '::1' },
        ],
      },
    ],
  });
  return { cert: made.cert, key: made.private };
}
