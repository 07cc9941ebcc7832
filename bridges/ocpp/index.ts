import { HUB_ERRORS } from '../../hub/errors.ts';
import type { GatewayRuntime, Link } from '../../hub/ports.ts';
import type { OcppServerOptions } from '../../protocols/ocpp/index.ts';
import { OcppLink } from './link.ts';

/** Configuration of a link on which charging stations connect. */
export interface OcppLinkConfig {
  readonly linkId: string;
  readonly siteId: string;
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  readonly path: string;
  /** Move on to the next free port when this one is taken. */
  readonly portSearch: boolean;
  /** Compiled schemas to share with other servers and clients of this process. */
  readonly validators?: OcppServerOptions['validators'];
  /** `hub`: observations in hub language. `native`: the calls of stations as they come; the gateway answers them. */
  readonly speaks: 'hub' | 'native';
  /**
   * Actions of stations that flows answer within 10 s, on a native link; the gateway answers all others. It always
   * answers BootNotification, StartTransaction and StopTransaction, whose answers it has to store.
   */
  readonly flowAnswers?: readonly string[];
}

/** Opens the OCPP server of a site. Rejects with `site.unknown`, `port.taken` or `ocpp.insecure`. */
export async function openOcppLink(config: OcppLinkConfig, runtime: GatewayRuntime): Promise<Link> {
  const site = runtime.sites.get(config.siteId);
  if (!site) throw HUB_ERRORS.fail('site.unknown', `The site ${config.siteId} is not open.`);
  const link = new OcppLink(config, runtime, site, runtime.mappings);
  await link.open();
  return link;
}
