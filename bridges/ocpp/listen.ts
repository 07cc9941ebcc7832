import type { Log } from '../../core/log.ts';
import { openOnPort } from '../../hub/links/ports.ts';
import type { GatewayRuntime } from '../../hub/ports.ts';
import type { Site } from '../../hub/site/types.ts';
import { createOcppServer, type OcppServer, type Station, type TappedMessage } from '../../protocols/ocpp/index.ts';
import { admit, tellAdmission } from './admission.ts';
import type { OcppLinkConfig } from './index.ts';
import { noteTapped } from './tapped.ts';

const LOOPBACK: readonly string[] = ['127.0.0.1', '::1', 'localhost'];

export interface ListenOptions {
  readonly config: OcppLinkConfig;
  readonly runtime: GatewayRuntime;
  readonly site: Site;
  readonly log: Log;
  readonly onStation: (station: Station) => void;
}

/** Opens the door for stations. Rejects with `port.taken` and what else hinders a server. */
export function listen({ config, runtime, site, log, onStation }: ListenOptions): Promise<OcppServer> {
  const { clock, metrics, settings, tls } = runtime;
  const mustProve = settings.insecure !== true && !LOOPBACK.includes(config.host);
  return openOnPort(config.port, config.portSearch, (port) =>
    createOcppServer({
      host: config.host,
      port,
      path: config.path,
      versions: ['ocpp2.1', 'ocpp2.0.1', 'ocpp1.6'],
      clock,
      log,
      metrics,
      ...(config.validators === undefined ? {} : { validators: config.validators }),
      authenticate: (identity, credentials, { version }) => {
        const admission = admit(site, (ref) => runtime.secret(ref), identity, credentials, { version, mustProve });
        tellAdmission(site, identity, admission);
        return admission;
      },
      ...(tls?.ocpp ? { tlsSource: tls.ocpp } : {}),
      allowInsecure: settings.insecure === true,
      onStation,
      ...tapping(config, runtime, site),
    }),
  );
}

/** Every message of the stations goes to the wire timeline. */
function tapping(
  { linkId, speaks }: OcppLinkConfig,
  { trace }: GatewayRuntime,
  site: Site,
): { tap?: (message: TappedMessage) => void } {
  if (trace === undefined) return {};
  const passedOn = speaks === 'native';
  const resources = (identity: string) => site.stations.resources(identity);
  return { tap: (message) => noteTapped({ trace, linkId, passedOn, resources }, message) };
}
