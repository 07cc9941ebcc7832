import { join } from 'node:path';
import type { LinkPlace } from './link-book.ts';
import type { Program } from './processes.ts';
import { ROOT } from './runtime.ts';
import type { Settings } from './settings.ts';

/** An example that `npm start` can show. */
export interface Demo {
  readonly siteFile: string;
  readonly flow: string;
  /**
   * The simulated peers of the links that are up: stations once there is an OCPP server, operators once there is an FO
   * link. Scripts are relative to the root; `gateway` is the address that takes meter values.
   */
  programs(links: readonly LinkPlace[], gateway: string): Program[];
}

const SCENARIOS = join(ROOT, 'simulators', 'scenarios');

/** By `V2GATE_FLOW`. A fresh clone shows `uc-2.1`. */
export const DEMOS: Readonly<Record<Settings['flow'], Demo>> = {
  'uc-2.1': demo('uc-2.1-setpoint-following', 'UC 2.1 Setpoint following.json', ({ stations, operators }) => [
    ...fleet(stations),
    ...operator(operators, 'operator'),
  ]),
  'uc-2.7': demo(
    'uc-2.7-congestion-management',
    'UC 2.7 Congestion management.json',
    ({ stations, operators, gateway }) => [
      ...site(stations, gateway, 'uc-2.7-site.json'),
      ...operator(operators, 'operator', ['--scenario', join(SCENARIOS, 'uc-2.7-congestion.json')]),
    ],
  ),
  'two-fos': demo('two-fos-one-depot', 'Two FOs, one depot.json', ({ stations, operators }) => [
    ...fleet(stations),
    ...operator(operators, 'north', [...party('fo:north', 'C-9'), join(SCENARIOS, 'two-fos-north.json')]),
    ...operator(operators, 'south', [...party('fo:south', 'C-10'), join(SCENARIOS, 'two-fos-south.json')]),
  ]),
};

interface Places {
  /** Address of the OCPP server and of the FO link, once they are up. */
  readonly stations: string | undefined;
  readonly operators: string | undefined;
  readonly gateway: string;
}

function demo(folder: string, flow: string, programs: (places: Places) => Program[]): Demo {
  const urlOf = (links: readonly LinkPlace[], type: string): string | undefined =>
    links.find((l) => l.type === type)?.url;
  return {
    siteFile: join(ROOT, 'flows', folder, 'site.json'),
    flow: join(ROOT, 'flows', folder, flow),
    programs: (links, gateway) =>
      programs({ stations: urlOf(links, 'v2gate-ocpp-server'), operators: urlOf(links, 'v2gate-fo-link'), gateway }),
  };
}

const fleet = (url: string | undefined): Program[] =>
  url === undefined ? [] : [{ name: 'stations', script: 'simulators/stations/main.ts', args: ['--url', url] }];

/** Stations with base load, sun and meters around them. */
const site = (url: string | undefined, gateway: string, scenario: string): Program[] => {
  const args = ['--gateway', gateway, '--scenario', join(SCENARIOS, scenario), '--', '--url', url ?? ''];
  return url === undefined ? [] : [{ name: 'site', script: 'simulators/site/main.ts', args }];
};

const operator = (url: string | undefined, name: string, more: readonly string[] = []): Program[] =>
  url === undefined ? [] : [{ name, script: 'simulators/fo/main.ts', args: ['--url', url, ...more] }];

const party = (partyId: string, contractId: string): string[] => [
  '--party',
  partyId,
  '--contract',
  contractId,
  '--scenario',
];
