#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { manualClock, realClock } from '../core/clock.ts';
import { describeError } from '../core/errors.ts';
import { createLog, type Log } from '../core/log.ts';
import { DEMOS } from './demo.ts';
import { GATEWAY_ERRORS } from './errors.ts';
import { armFailPoint } from './failpoints.ts';
import { type Gateway, startGateway } from './gateway.ts';
import type { LinkPlace } from './link-book.ts';
import { takeEnvironment } from './secrets.ts';
import { type Environment, readSettings, type Settings, settingsMarkdown } from './settings.ts';
import { linkLine, readyLines } from './start-lines.ts';
import { releaseStartMemory } from './start-memory.ts';
import { hasUsers } from './users.ts';

/**
 * Exit codes: 0 after a requested stop; 1 when the start failed or a stop took too long; 70 when something threw where nothing catches it, for
 * example asynchronous code of a function node (state unknown, so a supervisor should start the gateway again); 78 when a setting is wrong.
 */
const EXIT = { stopped: 0, failed: 1, crashed: 70, badSettings: 78 } as const;

/** A stop that takes longer is cut off. */
const STOP_MS = 5_000;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const complain = (line: string): void => void process.stderr.write(`${line}\n`);

async function main(): Promise<void> {
  if (process.argv.includes('--settings') || process.argv.includes('--help')) {
    say('v2gate: npm start. Settings are environment variables:\n');
    say(settingsMarkdown());
    return;
  }
  const env = takeEnvironment(process.env);
  const settings = settingsOrExit(env);
  const clock = settings.clock === 'manual' ? manualClock() : realClock();
  const log = createLog({ clock: realClock(), level: settings.logLevel, format: settings.logFormat, write: complain });
  for (const name of settings.unknown)
    log.warn('settings.unknown', { name, text: 'nobody knows this variable; is it misspelled?' });
  if (settings.failPoint) armFailPoint(settings.failPoint, log);
  try {
    const gateway = await startGateway({ settings, clock, log, env, ...exampleFlow(settings) });
    stopOnSignals(gateway, log);
    for (const line of readyLines(settings, gateway)) say(line);
    followLinks(gateway);
    releaseStartMemory({ clock: realClock(), log, links: gateway.links });
  } catch (e) {
    const { code, what, remedy } = describeError(e);
    log.error('gateway.startFailed', { code, what, remedy });
    complain(`v2gate could not start: ${what} ${remedy} (${code})`);
    process.exit(EXIT.failed);
  }
}

function settingsOrExit(env: Environment): Settings {
  try {
    return readSettings(env, { demoSiteFile: (flow) => DEMOS[flow].siteFile, hasUsers });
  } catch (e) {
    const { code, what, remedy } = describeError(e);
    complain(`v2gate cannot start with these settings: ${what} ${remedy} (${code})`);
    process.exit(EXIT.badSettings);
  }
}

/** A first start begins with the example flow, in the demo and on one's own site: without a flow no site is open. */
function exampleFlow(settings: Settings): { example?: string } {
  const { flow } = DEMOS[settings.flow];
  return existsSync(flow) ? { example: flow } : {};
}

/** Says where links are as they come up. */
function followLinks(gateway: Gateway): void {
  const follow = (place: LinkPlace): void => say(linkLine(place));
  for (const place of gateway.links.list()) follow(place);
  gateway.links.onChange(follow);
}

function stopOnSignals(gateway: Gateway, log: Log): void {
  let stopping = false;
  const stop = (reason: string, exitCode: number): void => {
    if (stopping) return;
    stopping = true;
    log.info('gateway.stopping', { reason });
    const late = (): void => {
      log.error('gateway.stopTooLong', { seconds: STOP_MS / 1_000 });
      process.exit(EXIT.failed);
    };
    setTimeout(late, STOP_MS).unref();
    gateway
      .stop()
      .catch((e: unknown) => log.error('gateway.stopFailed', describeError(e)))
      .finally(() => process.exit(exitCode));
  };
  process.on('SIGTERM', () => stop('SIGTERM', EXIT.stopped));
  process.on('SIGINT', () => (stopping ? process.exit(EXIT.stopped) : stop('SIGINT', EXIT.stopped)));
  const crashed = (thrown: unknown): void => {
    const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    log.error('gateway.crashed', { text, ...describeError(GATEWAY_ERRORS.fail('gateway.crashed')) });
    stop('an uncaught error', EXIT.crashed);
  };
  process.on('uncaughtException', crashed);
  process.on('unhandledRejection', crashed);
}

await main();
