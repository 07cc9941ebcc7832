import { describe, expect, it } from 'vitest';
import { codeOf } from '../../core/errors.ts';
import type { TappedMessage } from '../../protocols/ocpp/index.ts';
import { callError } from '../../protocols/ocpp/index.ts';
import { boot } from './kit.ts';
import { client, raw, serve } from './sockets.ts';

async function tapped() {
  const seen: TappedMessage[] = [];
  const s = await serve({ tap: (m) => void seen.push(m) });
  const short = () => seen.map((m) => `${m.direction} ${m.kind} ${m.action}`);
  return { s, seen, short };
}

describe('a tap on the server', () => {
  it('sees both sides of every call, decoded, with the id on the wire', async () => {
    const { s, seen, short } = await tapped();
    const c = client(s, { versions: ['ocpp2.1'] });
    c.handle(() => ({ status: 'Accepted' }));
    await c.connect();
    await c.callAny('BootNotification', boot('ocpp2.1'));
    const about = { cause: 'order:1', resourceId: 'CP1.1' };
    await s.stations[0]?.callAny('ClearCache', {}, { about });
    expect(short()).toEqual([
      'in call BootNotification',
      'out result BootNotification',
      'out call ClearCache',
      'in result ClearCache',
    ]);
    expect(seen[0]).toMatchObject({ identity: 'CP1', version: 'ocpp2.1', payload: boot('ocpp2.1') });
    expect(seen[1]?.id).toBe(seen[0]?.id);
    expect(seen[3]).toMatchObject({ id: seen[2]?.id, about, payload: { status: 'Accepted' } });
    expect(seen[2]?.id).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('sees refusals of both sides, and of the session before any handler', async () => {
    const { s, seen, short } = await tapped();
    s.next().then((station) =>
      station.handle((action) => {
        if (action === 'Authorize') throw callError('NotSupported', 'not here');
        return {};
      }),
    );
    const c = client(s, { versions: ['ocpp1.6'] });
    c.handle(() => {
      throw callError('NotSupported', 'no');
    });
    await c.connect();
    await c.callAny('Authorize', { idTag: 'X' }).catch(() => undefined);
    expect(await s.stations[0]?.callAny('Reset', { type: 'Soft' }).catch(codeOf)).toBe('ocpp.notSupported');
    expect(short()).toEqual(['in call Authorize', 'out error Authorize', 'out call Reset', 'in error Reset']);
    expect(seen[1]?.payload).toEqual({ code: 'NotSupported', description: 'not here' });
    const r = await raw(`${s.server.url}/CP2`, ['ocpp1.6']);
    r.ws.send('[2,"7","NoSuchThing",{}]');
    await r.next();
    expect(seen.at(-1)).toMatchObject({
      identity: 'CP2',
      direction: 'out',
      kind: 'error',
      id: '7',
      action: 'NoSuchThing',
    });
  });

  it('sees nothing of what was never sent', async () => {
    const { s, short } = await tapped();
    const c = client(s, { versions: ['ocpp1.6'] });
    await c.connect();
    const [station] = s.stations;
    expect(await station?.callAny('NoSuchThing', {}).catch(codeOf)).toBe('ocpp.notImplemented');
    const expired = station?.callAny('ClearCache', {}, { expiresAt: s.clock.now() }).catch(codeOf);
    expect(await expired).toBe('ocpp.expired');
    expect(short()).toEqual([]);
  });
});
