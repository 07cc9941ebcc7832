import type { Gateway } from './gateway.ts';
import type { LinkPlace } from './link-book.ts';
import type { Settings } from './settings.ts';

/** What people read when the gateway is up. */
export function readyLines(settings: Settings, gateway: Pick<Gateway, 'url' | 'port'>): string[] {
  const { url, port } = gateway;
  return [
    `v2gate is up${settings.demo && settings.flow !== 'empty' ? ', with simulated stations and a simulated flexibility operator' : ''}`,
    `  console    ${url}/console${moved(settings.httpPort, port)}`,
    `  editor     ${url}/`,
    `  health     ${url}/health`,
  ];
}

const PEERS: Readonly<Record<string, { readonly who: string; readonly suffix: string }>> = {
  'v2gate-ocpp-server': { who: 'stations', suffix: '/<identity>' },
  'v2gate-fo-link': { who: 'operators', suffix: '' },
};

/** Where the peers of a link connect to. */
export function linkLine({ type, url, wantedPort }: LinkPlace): string {
  const { who, suffix } = PEERS[type] ?? { who: type, suffix: '' };
  const port = URL.canParse(url) ? Number(new URL(url).port) : 0;
  return `  ${who.padEnd(10)} ${url}${suffix}${moved(wantedPort ?? port, port)}`;
}

function moved(wanted: number, got: number): string {
  return wanted === 0 || wanted === got ? '' : `   (port ${wanted} is taken, moved to ${got})`;
}
