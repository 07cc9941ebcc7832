import { describe, expect, it } from 'vitest';
import { manualClock } from '../../core/clock.ts';
import { followEvents, parseEvent } from '../../gateway/console/live.js';
import type { ConsoleMessage } from '../../gateway/console/state.js';
import { siteView } from './site.ts';

class FakeSource {
  readyState = 0;
  onopen: ((event: Event) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  readonly #listeners: Record<string, (event: MessageEvent<string>) => void> = {};

  addEventListener(name: string, listener: (event: MessageEvent<string>) => void): void {
    this.#listeners[name] = listener;
  }
  close(): void {
    this.readyState = 2;
  }
  open(): void {
    this.readyState = 1;
    this.onopen?.(new Event('open'));
  }
  fail(state: 0 | 2): void {
    this.readyState = state;
    this.onerror?.(new Event('error'));
  }
  send(name: string, data: unknown): void {
    const text = typeof data === 'string' ? data : JSON.stringify(data);
    this.#listeners[name]?.(new MessageEvent(name, { data: text }));
  }
}

function follow() {
  const clock = manualClock();
  const sources: FakeSource[] = [];
  const heard: ConsoleMessage[] = [];
  const stop = followEvents({
    open: () => {
      const source = new FakeSource();
      sources.push(source);
      return source;
    },
    after: (ms, fn) => {
      const timer = clock.after(ms, fn);
      return () => timer.cancel();
    },
    on: (message) => heard.push(message),
  });
  const latest = (): FakeSource => {
    const source = sources.at(-1);
    if (!source) throw new Error('nothing was opened');
    return source;
  };
  return { clock, sources, stop, latest, types: () => heard.map((m) => m.type) };
}

describe('the event stream of the console', () => {
  it('passes on what the gateway sends and drops what it cannot read', () => {
    const { latest, types } = follow();
    latest().open();
    latest().send('site', siteView());
    latest().send('site', 'not JSON');
    latest().send('plot', { siteId: 'site:harbour' });
    latest().send('reloaded', { siteId: 'site:harbour', ok: false, text: 'why' });
    expect(types()).toEqual(['connecting', 'open', 'site', 'reloaded']);
  });

  it('leaves a broken connection to the browser, which reconnects by itself', async () => {
    const { clock, sources, latest, types } = follow();
    latest().open();
    latest().send('site', siteView());
    latest().fail(0);
    await clock.advance(60_000);
    expect(sources).toHaveLength(1);
    expect(types()).toEqual(['connecting', 'open', 'site', 'lost']);
  });

  it('opens a refused stream again, more and more slowly, and at once quickly after it worked', async () => {
    const { clock, sources, latest } = follow();
    latest().fail(2);
    await clock.advance(1000);
    expect(sources).toHaveLength(2);
    latest().fail(2);
    await clock.advance(1000);
    expect(sources).toHaveLength(2);
    await clock.advance(1000);
    expect(sources).toHaveLength(3);
    for (let i = 0; i < 20; i++) {
      latest().fail(2);
      await clock.advance(10_000);
    }
    expect(sources).toHaveLength(23);
    latest().open();
    latest().send('site', siteView());
    latest().fail(2);
    await clock.advance(1000);
    expect(sources).toHaveLength(24);
  });

  it('takes a silent stream for a lost one and opens another', async () => {
    const { clock, sources, latest, types } = follow();
    latest().open();
    for (let i = 0; i < 30; i++) {
      latest().send('site', siteView());
      await clock.advance(1000);
    }
    expect(sources).toHaveLength(1);
    await clock.advance(9000);
    expect(sources).toHaveLength(2);
    expect(sources[0]?.readyState).toBe(2);
    expect(types().slice(-2)).toEqual(['lost', 'connecting']);
  });

  it('ends without a timer left', async () => {
    const { clock, latest, stop } = follow();
    latest().open();
    latest().send('site', siteView());
    stop();
    expect(clock.pending).toBe(0);
    expect(latest().readyState).toBe(2);
  });

  it('reads only what has the outline of its event', () => {
    expect(parseEvent('health', '{"components":{}}')).toEqual({ type: 'health', data: { components: {} } });
    for (const text of ['null', '[]', '{}', '{"components":1}', '"x"', ''])
      expect(parseEvent('health', text)).toBeUndefined();
    expect(parseEvent('plots', '{"siteId":"a","points":{}}')).toBeUndefined();
  });
});
