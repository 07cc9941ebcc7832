import { describe, expect, it } from 'vitest';
import { manualClock } from '../../core/clock.ts';
import { silentLog } from '../../core/log.ts';
import type { GatewayRuntime } from '../../hub/ports.ts';
import type { Decision } from '../../hub/site/types.ts';
import type { ServiceTarget } from '../../model/index.ts';
import type { NodeHost } from '../../nodes/base/host.ts';
import { createService } from '../../nodes/service/controller.ts';

const TARGET: ServiceTarget = { fsrId: 'N-1', targetW: 5000, validUntil: '2026-01-01T00:01:00Z' };

/** A service node over a site that decides as it is told; `done`: what happened, in order. */
function rig(decision: () => Decision) {
  const clock = manualClock();
  const done: string[] = [];
  const site = {
    siteId: 'site:test',
    on: () => () => undefined,
    tellAgain: () => undefined,
    decide: () => Promise.resolve(decision()),
    reply(replyTo: string) {
      done.push(`answer to ${replyTo}`);
      return true;
    },
  };
  const holder = {
    kind: 'site',
    require: () => site,
    onReady(ready: (s: typeof site) => void) {
      ready(site);
      return () => undefined;
    },
  };
  const runtime: Partial<GatewayRuntime> = { clock, log: silentLog };
  const host: NodeHost = {
    id: 'n1',
    name: '',
    type: 'v2gate-service',
    runtime: runtime as GatewayRuntime,
    credentials: {},
    status: () => undefined,
    send: () => undefined,
    fail: (e) => void done.push(`failed: ${e instanceof Error ? e.message : ''}`),
    controllerOf: () => holder,
    onFlowsStarted: () => () => undefined,
    announceLink: () => undefined,
    withdrawLink: () => undefined,
  };
  const node = createService(host, { version: 1, site: 's' });
  const ask = (n = 1): Promise<void> | void =>
    node.input?.(
      { _msgid: 'x', topic: 'hub/UpdateSetpoint', payload: {}, v2gate: { replyTo: `fo:test/${n}` } },
      () => void done.push('target'),
    );
  return { clock, done, node, ask };
}

describe('the service node', () => {
  it('answers at once where no target follows', async () => {
    const { done, ask } = rig(() => ({ result: { status: 'ok' } }));
    await ask();
    expect(done).toEqual(['answer to fo:test/1']);
  });

  it('lets the target of a setpoint go first, and works its answer out afterwards', async () => {
    const read: string[] = [];
    const { clock, done, ask } = rig(() => ({
      target: TARGET,
      get result() {
        read.push(done.join());
        return { status: 'ok' as const };
      },
    }));
    await ask(1);
    await ask(2);
    expect([done, read]).toEqual([['target', 'target'], []]);
    await clock.advance(2);
    expect(done).toEqual(['target', 'target', 'answer to fo:test/1', 'answer to fo:test/2']);
    expect(read[0]).toBe('target,target');
    expect(clock.pending).toBe(0);
  });

  it('owes no answer when it is closed', async () => {
    const { clock, done, node, ask } = rig(() => ({ target: TARGET, result: { status: 'ok' } }));
    await ask();
    await node.close(false);
    expect([done, clock.pending]).toEqual([['target', 'answer to fo:test/1'], 0]);
  });
});
