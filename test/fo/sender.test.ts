import { describe, expect, it } from 'vitest';
import { Sender } from '../../protocols/fo/session/sender.ts';
import type { FoFrame } from '../../protocols/fo/types.ts';

/** A connection whose buffer empties only when told. */
function slow() {
  const sent: string[] = [];
  const flushes: (() => void)[] = [];
  return {
    sent,
    flushes,
    transport: {
      send(text: string, flushed: () => void) {
        sent.push(text);
        flushes.push(flushed);
      },
      close: () => undefined,
    },
  };
}

const frame = (text: string): FoFrame => ({ text, messageId: text, type: 'Result', body: {} });
const big = (c: string): string => c.repeat(64 * 1024);

describe('the send queue', () => {
  it('lets setpoints pass everything that waits, and streams come last', () => {
    const s = slow();
    const sender = new Sender({ onStuck: () => undefined });
    sender.attach(s.transport);
    sender.push('normal', frame(big('x')));
    sender.push('stream', frame('telemetry'));
    sender.push('normal', frame('result'));
    sender.push('fast', frame('setpoint'));
    expect(s.sent).toHaveLength(1);
    s.flushes[0]?.();
    expect(s.sent.slice(1)).toEqual(['setpoint', 'result', 'telemetry']);
  });

  it('drops the oldest stream frames and the oldest setpoints, never a Result', () => {
    const s = slow();
    let stuck = 0;
    const sender = new Sender({ onStuck: () => stuck++ });
    sender.attach(s.transport);
    sender.push('normal', frame(big('x')));
    for (let i = 0; i < 100; i++) {
      sender.push('stream', frame(`t${i}`));
      sender.push('fast', frame(`s${i}`));
    }
    for (let i = 0; i < 512; i++) expect(sender.push('normal', frame(`r${i}`))).toBe(true);
    expect(stuck).toBe(0);
    expect(sender.push('normal', frame('one too many'))).toBe(false);
    expect(stuck).toBe(1);
    s.flushes[0]?.();
    expect(s.sent[1]).toBe('s36');
    expect(s.sent.at(-1)).toBe('t99');
    expect(s.sent.filter((x) => x.startsWith('t'))).toHaveLength(64);
  });

  it('does not count a frame twice and forgets the old connection', () => {
    const s = slow();
    const sender = new Sender({ onStuck: () => undefined });
    sender.attach(s.transport);
    sender.push('normal', frame(big('x')));
    const t = slow();
    sender.attach(t.transport);
    s.flushes[0]?.();
    sender.push('normal', frame(big('y')));
    sender.push('normal', frame('later'));
    s.flushes[0]?.();
    expect(t.sent).toHaveLength(1);
    t.flushes[0]?.();
    expect(t.sent).toHaveLength(2);
    sender.detach();
    expect(sender.push('normal', frame('nobody'))).toBe(false);
  });
});
