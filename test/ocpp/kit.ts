import type { ManualClock } from '../../core/clock.ts';
import { manualClock } from '../../core/clock.ts';
import { codeOf } from '../../core/errors.ts';
import type { Effect, Report, Role, Session, SessionLimits, Validators, Version } from '../../protocols/ocpp/index.ts';
import { createSession, createValidators } from '../../protocols/ocpp/index.ts';

/** Compiled once per test file. */
export const VALIDATORS: Readonly<Record<Version, Validators>> = {
  'ocpp1.6': createValidators('ocpp1.6'),
  'ocpp2.0.1': createValidators('ocpp2.0.1'),
  'ocpp2.1': createValidators('ocpp2.1'),
};

export const ALL: readonly Version[] = ['ocpp1.6', 'ocpp2.0.1', 'ocpp2.1'];

export const NOW = '2026-01-01T00:00:00.000Z';

/** How a call ended: an error code, or the answer. */
export type Ending = { readonly code: string } | { readonly answer: unknown };

/** A session whose effects are kept in lists. */
export interface Bench {
  readonly session: Session;
  readonly clock: ManualClock;
  /** Frames written, as text, since the last look. */
  written(): string[];
  handled(): { id: string; action: string; payload: unknown; send: boolean }[];
  reports(): Report[];
  closes(): number[];
  endings: Record<string, Ending[]>;
  receive(frame: unknown): void;
  /** Calls under a name, so that its ending can be found. */
  call(name: string, action: string, payload: unknown, o?: Parameters<Session['call']>[2]): void;
  run(effects: readonly Effect[]): void;
}

export function bench(version: Version, role: Role = 'csms', limits: Partial<SessionLimits> = {}): Bench {
  const clock = manualClock();
  let n = 0;
  const session = createSession({
    version,
    role,
    clock,
    ids: () => `id-${++n}`,
    validators: VALIDATORS[version],
    limits,
  });
  const effects: Effect[] = [];
  const take = <T>(pick: (e: Effect) => T | undefined): T[] => {
    const found: T[] = [];
    for (let i = 0; i < effects.length; ) {
      const e = effects[i];
      const hit = e && pick(e);
      if (hit === undefined) i++;
      else {
        found.push(hit);
        effects.splice(i, 1);
      }
    }
    return found;
  };
  const endings: Record<string, Ending[]> = {};
  const b: Bench = {
    session,
    clock,
    endings,
    written: () => take((e) => (e.kind === 'write' ? e.text : undefined)),
    handled: () =>
      take((e) => (e.kind === 'handle' ? { id: e.id, action: e.action, payload: e.payload, send: e.send } : undefined)),
    reports: () => take((e) => (e.kind === 'report' ? e.report : undefined)),
    closes: () => take((e) => (e.kind === 'close' ? e.code : undefined)),
    receive: (frame) => b.run(session.receive(typeof frame === 'string' ? frame : JSON.stringify(frame))),
    call(name, action, payload, o = {}) {
      const list = endings[name] ?? [];
      endings[name] = list;
      const done = (error: Error | undefined, answer: unknown): void => {
        list.push(error === undefined ? { answer } : { code: codeOf(error) ?? 'none' });
      };
      b.run(session.call(action, payload, o, done));
    },
    run(more) {
      for (const e of more) {
        if (e.kind === 'settle') e.done(e.error, e.payload);
        else effects.push(e);
      }
    },
  };
  return b;
}

/** A valid BootNotification of each version. */
export function boot(version: Version): Record<string, unknown> {
  if (version === 'ocpp1.6') return { chargePointVendor: 'Acme', chargePointModel: 'One' };
  return { reason: 'PowerUp', chargingStation: { model: 'One', vendorName: 'Acme' } };
}

export const BOOTED = { currentTime: NOW, interval: 300, status: 'Accepted' } as const;
