/** The server under test: the RPC layer alone, with a handler that does nothing. */
import { realClock } from '../../core/clock.ts';
import { createOcppServer } from '../../protocols/ocpp/index.ts';
import type { Bench } from './hand.ts';
import type { Version } from './messages.ts';
import { profileFor } from './messages.ts';

export async function serveProduct(version: Version): Promise<Bench> {
  const server = await createOcppServer({
    clock: realClock(),
    versions: [version],
    onStation: (station) => station.handle(() => ({})),
  });
  server.warm(['MeterValues', 'TransactionEvent', 'SetChargingProfile']);
  return {
    port: server.port,
    messages: () => server.counts.framesIn,
    async fanout() {
      const answers = [...server.stations()].map((s, n) =>
        s.callAny('SetChargingProfile', profileFor(n), { priority: 'setpoint' }),
      );
      return (await Promise.all(answers)).length;
    },
  };
}
