import { describe, expect, it, vi } from 'vitest';
import { manualClock } from '../../core/clock.ts';
import { createLog } from '../../core/log.ts';
import { createLinkBook } from '../../gateway/link-book.ts';
import { releaseStartMemory } from '../../gateway/start-memory.ts';

function world(collect: () => Promise<void>) {
  const clock = manualClock();
  const lines: string[] = [];
  const log = createLog({ clock, level: 'debug', format: 'json', write: (line) => lines.push(line) });
  const links = createLinkBook();
  releaseStartMemory({ clock, log, links, collect });
  return { clock, links, lines };
}

describe('what the start took', () => {
  it('is given back once when no link has come up', async () => {
    const collect = vi.fn(() => Promise.resolve());
    const { clock } = world(collect);
    expect(collect).not.toHaveBeenCalled();
    await clock.advance(60_000);
    expect(collect).toHaveBeenCalledTimes(1);
  });

  it('stays while a link is up: the pause would fall into the boots of its stations', async () => {
    const collect = vi.fn(() => Promise.resolve());
    const { clock, links } = world(collect);
    links.note({ nodeId: 'n', type: 'v2gate-ocpp-server', url: 'ws://127.0.0.1:9220/ocpp' });
    await clock.advance(60_000);
    expect(collect).not.toHaveBeenCalled();
  });

  it('stays, and the gateway too, where the engine cannot be asked', async () => {
    const { clock, lines } = world(() => Promise.reject(new Error('no inspector')));
    await clock.advance(60_000);
    expect(lines.join('\n')).toContain('gateway.memoryKept');
  });
});
