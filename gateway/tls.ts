import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { TlsProfile, TlsSource } from '../core/tls.ts';
import { openDevelopmentTls, openTlsFiles } from '../core/tls-files.ts';
import type { Settings } from './settings.ts';

/** One interface with TLS. */
export interface SecureInterface<P extends TlsProfile> {
  readonly source: TlsSource;
  readonly profile: P;
}

/** What each interface of the process is protected with; absent: plain text. */
export interface GatewayTls {
  readonly ocpp?: TlsSource;
  readonly fo?: SecureInterface<'modern' | 'compatible'>;
  readonly http?: SecureInterface<'modern' | 'compatible'>;
  /** The development certificate, for peers on this machine that have to trust it. */
  readonly developmentCert?: string;
  close(): void;
}

/** Opens the certificate that the settings name, for the interfaces that they name. Rejects with `tls.unreadable`, `tls.broken`. */
export async function openTls(settings: Settings, around: { clock: Clock; log: Log }): Promise<GatewayTls> {
  const opened = await openSource(settings, around);
  if (!opened) return { close: () => undefined };
  const { source, developmentCert } = opened;
  const secure = { source, profile: settings.tlsMin === '1.2' ? 'compatible' : 'modern' } as const;
  return {
    ...(settings.tlsOcpp ? { ocpp: source } : {}),
    ...(settings.tlsFo ? { fo: secure } : {}),
    ...(settings.tlsHttp ? { http: secure } : {}),
    ...(developmentCert === undefined ? {} : { developmentCert }),
    close: () => source.close(),
  };
}

async function openSource(
  { tls, tlsCert, tlsKey, tlsCa, dataDir }: Settings,
  around: { clock: Clock; log: Log },
): Promise<{ source: TlsSource; developmentCert?: string } | undefined> {
  if (tls === 'dev') {
    const source = await openDevelopmentTls(join(dataDir, 'tls'), around);
    return { source, developmentCert: source.certFile };
  }
  if (tls === 'off' || tlsCert === undefined || tlsKey === undefined) return undefined;
  return { source: await openTlsFiles({ cert: tlsCert, key: tlsKey, ca: tlsCa }, around) };
}
