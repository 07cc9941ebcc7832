import { type ManualClock, manualClock } from '../../core/clock.ts';
import { createLog, type Log } from '../../core/log.ts';
import type { ResultBody } from '../../model/index.ts';
import {
  createFoSession,
  type FoConnection,
  type FoDown,
  type FoInbound,
  type FoSession,
  type FoSessionOptions,
  type FoTransport,
  type FoUp,
} from '../../protocols/fo/index.ts';

/** One frame as it crossed the wire. */
export interface Frame {
  readonly from: 'fo' | 'gw';
  readonly at: number;
  readonly messageId: string;
  readonly type: string;
  readonly correlationId?: string;
  readonly eventSeq?: number;
  readonly sentAt: string;
  readonly body: Record<string, unknown>;
}

/** What one side saw. */
export interface Seen {
  readonly messages: FoInbound[];
  readonly ups: FoUp[];
  readonly downs: FoDown[];
  readonly gaps: { readonly from: number; readonly to: number }[];
  readonly logs: string[];
}

export interface SideOptions extends Partial<FoSessionOptions> {
  /** Called for each message; default: answers `ok` at once. */
  onMessage?: (m: FoInbound, session: FoSession) => void;
}

export interface Side {
  readonly session: FoSession;
  readonly seen: Seen;
}

export const GW = 'cso:harbour';
export const FO = 'fo:north';
const OK: ResultBody = { status: 'ok' };

/** Deterministic bytes for ids. */
export function testBytes(seed: number): (n: number) => Uint8Array {
  let x = seed;
  return (n) =>
    Uint8Array.from({ length: n }, () => {
      x = (x * 1_103_515_245 + 12_345) % 2_147_483_648;
      return x >> 16;
    });
}

export function linesTo(clock: ManualClock, lines: string[]): Log {
  return createLog({ clock, level: 'debug', format: 'json', write: (line) => lines.push(line) });
}

export function side(role: 'fo' | 'fcsbe', clock: ManualClock, o: SideOptions = {}): Side {
  const seen: Seen = { messages: [], ups: [], downs: [], gaps: [], logs: [] };
  const { onMessage, ...rest } = o;
  const react = onMessage ?? ((m: FoInbound, s: FoSession) => void (m.replyTo && s.answer(m.replyTo, OK)));
  const session: FoSession = createFoSession({
    role,
    self: role === 'fo' ? FO : GW,
    peer: role === 'fo' ? GW : FO,
    clock,
    log: linesTo(clock, seen.logs),
    random: () => 0.5,
    randomBytes: testBytes(role === 'fo' ? 1 : 2),
    handlers: {
      onMessage(m) {
        seen.messages.push(m);
        react(m, session);
      },
      onUp: (up) => seen.ups.push(up),
      onDown: (_, reason) => seen.downs.push(reason),
      onGap: (_, gap) => seen.gaps.push(gap),
    },
    ...rest,
  });
  return { session, seen };
}

export interface Pair {
  readonly clock: ManualClock;
  readonly fo: Side;
  readonly gw: Side;
  readonly frames: Frame[];
  /** Close frames, in order. */
  readonly closes: { readonly by: 'fo' | 'gw'; readonly code: number }[];
  /** Frames for which this holds are lost on the way. */
  lose: (frame: Frame) => boolean;
  connect(opener?: 'fo' | 'gw'): Promise<void>;
  /** Cuts the connection; both sides notice. */
  cut(): Promise<void>;
  /** Hands a made-up frame to one side, as if the other had sent it. */
  inject(to: 'fo' | 'gw', text: string): Promise<void>;
  of(type: string): Frame[];
}

/** An FO and a gateway over a wire in memory, under a manual clock. */
export function pair(o: { fo?: SideOptions; gw?: SideOptions; clock?: ManualClock } = {}): Pair {
  const clock = o.clock ?? manualClock();
  const fo = side('fo', clock, o.fo);
  const gw = side('fcsbe', clock, o.gw);
  let links: Partial<Record<'fo' | 'gw', FoConnection>> = {};
  let generation = 0;

  const transport = (from: 'fo' | 'gw', mine: number): FoTransport => {
    const to = from === 'fo' ? 'gw' : 'fo';
    return {
      send(text, flushed) {
        const frame: Frame = { from, at: clock.now(), ...JSON.parse(text) };
        // `from` of the envelope is the party; here the side is wanted.
        const seen = { ...frame, from };
        p.frames.push(seen);
        queueMicrotask(() => {
          flushed();
          if (mine === generation && !p.lose(seen)) links[to]?.receive(text);
        });
      },
      close(code) {
        p.closes.push({ by: from, code });
        queueMicrotask(() => {
          if (mine !== generation) return;
          generation++;
          links.fo?.gone('closed');
          links.gw?.gone('closed');
        });
      },
    };
  };

  const p: Pair = {
    clock,
    fo,
    gw,
    frames: [],
    closes: [],
    lose: () => false,
    async connect(opener = 'fo') {
      generation++;
      const mine = generation;
      links = {};
      const listener = opener === 'fo' ? 'gw' : 'fo';
      links[listener] = p[listener].session.attach(transport(listener, mine), 'listener');
      links[opener] = p[opener].session.attach(transport(opener, mine), 'opener');
      await clock.advance(0);
    },
    async cut() {
      generation++;
      links.fo?.gone('closed');
      links.gw?.gone('closed');
      await clock.advance(0);
    },
    async inject(to, text) {
      links[to]?.receive(text);
      await clock.advance(0);
    },
    of: (type) => p.frames.filter((f) => f.type === type),
  };
  return p;
}

/** A frame as a peer would write it. */
export function envelope(clock: ManualClock, over: Record<string, unknown>): string {
  return JSON.stringify({
    profile: 'v2gate-fo/1',
    messageId: '0197f2c0-5b1e-7c34-9a51-2f6f0a4be001',
    type: 'UpdateSetpoint',
    from: FO,
    to: GW,
    sentAt: new Date(clock.now()).toISOString(),
    body: setpoint(clock, 1),
    ...over,
  });
}

export function setpoint(clock: ManualClock, seq: number, targetW = 1000, fsrId = 'N-1') {
  return { setpoint: { fsrId, seq, targetW, validUntil: new Date(clock.now() + 60_000).toISOString() } };
}

export function cancel(clock: ManualClock, fsrId = 'N-1') {
  return { fsrId, reason: 'test', at: new Date(clock.now()).toISOString() };
}

export function notice(clock: ManualClock, n = 1) {
  return { fsrId: `N-${n}`, phase: 'active' as const, at: new Date(clock.now()).toISOString() };
}

export function service(clock: ManualClock, fsrId = 'N-1', revision = 1) {
  const at = (s: number): string => new Date(clock.now() + s * 1000).toISOString();
  return {
    fsr: {
      fsrId,
      revision,
      contractId: 'C-9',
      serviceType: 'setpoint' as const,
      target: { groupId: 'g:depot', referencePoint: 'group' as const },
      window: { start: at(0), end: at(180) },
      decisionBy: at(5),
      mandatory: false,
      priority: 5,
      parameters: {
        mode: 'absolute' as const,
        minW: -20_000,
        maxW: 44_000,
        toleranceW: 500,
        updateIntervalS: 10,
        validityS: 60,
      },
      fallback: { onExpiry: 'baseline' as const, rampS: 30 },
    },
  };
}
