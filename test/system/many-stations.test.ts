import { readFileSync } from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import { iso, realClock } from '../../core/clock.ts';
import { createOcppServer, createValidators, type OcppServer, type Peer } from '../../protocols/ocpp/index.ts';
import type { StationEvent } from '../../simulators/stations/index.ts';
import { Child } from './support/child.ts';

const COUNT = 500;
/** Generous bounds for a slow machine that does other things too; measured: 3 % of a core, 190 MB. */
const MAX_CPU_SHARE = 0.3;
const MAX_RSS_MB = 450;
const QUIET_MS = 12_000;

let server: OcppServer | undefined;
let program: Child | undefined;
afterEach(async () => {
  await program?.stop();
  await server?.close(0);
});

/** CPU seconds and resident memory of a process, from /proc. */
function usage(pid: number): { cpuS: number; rssMB: number } {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ');
  const rss = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return { cpuS: (Number(fields[13]) + Number(fields[14])) / 100, rssMB: Number(rss) / 1024 };
}

const clock = realClock();
const time = (): string => iso(clock.now());

/** A CSMS that accepts everything. */
function answer(action: string): unknown {
  switch (action) {
    case 'BootNotification':
      return { status: 'Accepted', currentTime: time(), interval: 300 };
    case 'Heartbeat':
      return { currentTime: time() };
    case 'Authorize':
      return undefined;
    case 'NotifyEVChargingNeeds':
      return { status: 'Accepted' };
    default:
      return {};
  }
}

const limited = { chargingRateUnit: 'W', chargingSchedulePeriod: [{ startPeriod: 0, limit: 6000 }] } as const;
const common = {
  stackLevel: 0,
  chargingProfilePurpose: 'TxDefaultProfile',
  chargingProfileKind: 'Absolute',
} as const;

function limit(peer: Peer): Promise<unknown> {
  const schedule = { ...limited, startSchedule: time() };
  return peer.version === 'ocpp1.6'
    ? peer.callAny('SetChargingProfile', {
        connectorId: 1,
        csChargingProfiles: { ...common, chargingProfileId: 1, chargingSchedule: schedule },
      })
    : peer.callAny('SetChargingProfile', {
        evseId: 1,
        chargingProfile: { ...common, id: 1, chargingSchedule: [{ ...schedule, id: 1 }] },
      });
}

it('one process plays 500 stations of all versions on little power, and tells when commands arrived', async () => {
  const versions = ['ocpp1.6', 'ocpp2.0.1', 'ocpp2.1'] as const;
  const peers: Peer[] = [];
  let transactions = 0;
  let readings = 0;
  server = await createOcppServer({
    port: 0,
    clock,
    versions,
    validators: Object.fromEntries(versions.map((v) => [v, createValidators(v)])),
    pingMs: 0,
    onStation(peer) {
      peers.push(peer);
      peer.handle((action: string, payload: unknown) => {
        const ok = { status: 'Accepted' };
        const started = action === 'StartTransaction' || JSON.stringify(payload).includes('"Started"');
        if (started) transactions++;
        if (action === 'MeterValues' || JSON.stringify(payload).includes('MeterValuePeriodic')) readings++;
        if (action === 'StartTransaction') return { transactionId: transactions, idTagInfo: ok };
        return answer(action) ?? (peer.version === 'ocpp1.6' ? { idTagInfo: ok } : { idTokenInfo: ok });
      });
    },
  });
  const url = `ws://127.0.0.1:${server.port}/ocpp`;
  const options = ['--url', url, '--count', String(COUNT), '--meter', '10', '--cars', '3', '--quiet'];
  const run = { command: process.execPath, args: ['simulators/stations/main.ts', ...options], name: 'stations' };
  program = new Child(run);
  const event = (name: string, ms: number): Promise<StationEvent> =>
    (program ?? new Child(run)).find(
      name,
      (line) => {
        const parsed = JSON.parse(line) as StationEvent;
        return parsed.event === name ? parsed : undefined;
      },
      ms,
    );
  expect(await event('allAccepted', 60_000)).toMatchObject({ stations: COUNT });
  await new Promise((resolve) => setTimeout(resolve, 8000));
  expect(transactions).toBe(COUNT);

  const { pid = 0 } = program;
  const before = usage(pid);
  const readingsBefore = readings;
  await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  const after = usage(pid);
  const share = (after.cpuS - before.cpuS) / (QUIET_MS / 1000);
  process.stdout.write(`${COUNT} stations: ${(share * 100).toFixed(1)} % of a core, ${after.rssMB.toFixed(0)} MB\n`);
  expect(readings - readingsBefore).toBeGreaterThanOrEqual(COUNT);
  expect(share).toBeLessThan(MAX_CPU_SHARE);
  expect(after.rssMB).toBeLessThan(MAX_RSS_MB);

  program.say('{"station":"*","mark":true}');
  await new Promise((resolve) => setTimeout(resolve, 200));
  const sentMs = performance.timeOrigin + performance.now();
  const answers = await Promise.all(peers.map(limit));
  expect(answers.every((a) => typeof a === 'object' && a !== null && 'status' in a && a.status === 'Accepted')).toBe(
    true,
  );
  program.say('{"station":"*","report":true}');
  const report = await event('commands', 5000);
  expect(report).toMatchObject({ stations: COUNT, commands: COUNT });
  expect(Number(report.firstMs)).toBeGreaterThanOrEqual(sentMs - 1);
  expect(Number(report.lastMs) - sentMs).toBeLessThan(3000);
});
