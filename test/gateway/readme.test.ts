import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { realClock } from '../../core/clock.ts';
import { createLog } from '../../core/log.ts';
import { secretVariable } from '../../gateway/secrets.ts';
import { SiteFile } from '../../model/index.ts';
import { createFoClient, type FoClient, type FoInbound } from '../../protocols/fo/index.ts';
import { withPart, yard } from '../repo/guide-blocks.ts';
import { jsonOf } from '../repo/guides.ts';
import { DEMO_FLOW, PATIENT, useGateway } from '../support/gateway.ts';

const GUIDE = readFileSync(new URL('../../docs/site.md', import.meta.url), 'utf8');
/** The site file that the README starts with, protected as the guide says. */
const site = SiteFile.parse(withPart(yard(), Object(jsonOf(GUIDE, 'site part'))));
const secrets = new Map(Object.entries(Object(jsonOf(GUIDE, 'secrets')) as Record<string, string>));
const gw = useGateway({
  site: () => site,
  flowFile: readFileSync(DEMO_FLOW, 'utf8'),
  env: Object.fromEntries([...secrets].map(([ref, secret]) => [secretVariable(ref), secret])),
});

/** What becomes of the handshake of a station. */
async function knock(identity: string, password: string, version: string): Promise<string> {
  const auth = `${identity}:${password}`;
  const ws = new WebSocket(`${await gw().linkUrl('v2gate-ocpp-server')}/${identity}`, [version], { auth });
  return new Promise((resolve) => {
    ws.on('open', () => {
      resolve('open');
      ws.terminate();
    });
    ws.on('error', (e) => resolve(e.message));
  });
}

let client: FoClient | undefined;
afterEach(() => client?.close());

describe('the site file of the README with the secrets of its guide and the flow that is there at the start', () => {
  it('lets its station in with its password, and not without', async () => {
    const password = secrets.get(site.stations[0]?.passwordRef ?? '') ?? '';
    const [ac] = site.stations.map((s) => s.identity);
    expect(await knock(ac ?? '', password, 'ocpp1.6')).toBe('open');
    expect(await knock(ac ?? '', 'guessed', 'ocpp1.6')).toContain('401');
  });

  it('decides about both services of its contract for the operator with its token', async () => {
    const [contract] = site.contracts ?? [];
    const heard: FoInbound[] = [];
    const clock = realClock();
    client = createFoClient({
      url: await gw().linkUrl('v2gate-fo-link'),
      partyId: contract?.foId ?? '',
      to: site.operatorId,
      token: secrets.get(site.partySecrets?.[0]?.tokenRef ?? '') ?? '',
      clock,
      log: createLog({ clock, level: 'off', format: 'text', write: () => undefined }),
      handlers: {
        onMessage(message) {
          heard.push(message);
          if (message.replyTo !== undefined) client?.answer(message.replyTo, { status: 'ok' });
        },
      },
    });
    const at = (s: number): string => new Date(clock.now() + s * 1000).toISOString();
    const common = {
      revision: 1,
      contractId: contract?.contractId ?? '',
      target: { groupId: site.groups?.[0]?.groupId ?? '', referencePoint: 'group' },
      decisionBy: at(20),
      mandatory: false,
      priority: 5,
      fallback: { onExpiry: 'zero', rampS: 0 },
    } as const;
    const limits = { start: at(1000), end: at(1600), points: [{ offsetS: 0, importLimitW: 10_000 }] };
    const asked = [
      {
        ...common,
        fsrId: 'S-1',
        serviceType: 'setpoint',
        window: { start: at(60), end: at(600) },
        parameters: {
          mode: 'absolute',
          minW: -5000,
          maxW: 10_000,
          toleranceW: 500,
          updateIntervalS: 4,
          validityS: 30,
        },
      },
      {
        ...common,
        fsrId: 'S-2',
        serviceType: 'congestion',
        target: { ...common.target, referencePoint: 'site' },
        window: { start: at(1000), end: at(1600) },
        parameters: { gridNode: site.poc.gridNode ?? '', limits, firm: true },
      },
    ] as const;
    for (const fsr of asked) {
      const result = await client.request('RequestService', { fsr });
      expect(result.code).toBeUndefined();
      expect(result.status).toMatch(/ok|pending/);
    }
    const decided = (): string[] => heard.flatMap((m) => (m.type === 'ServiceDecision' ? [m.body.fsrId] : []));
    await vi.waitFor(() => expect(decided().sort()).toEqual(['S-1', 'S-2']), PATIENT);
  });
});
