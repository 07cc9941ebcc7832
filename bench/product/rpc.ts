/** The RPC layer alone, with a handler that does nothing: `rpc.ts <version>`. */
import { realClock } from '../../core/clock.ts';
import { createOcppServer } from '../../protocols/ocpp/index.ts';

const version = process.argv[2] === 'ocpp2.1' ? 'ocpp2.1' : 'ocpp1.6';
const server = await createOcppServer({
  clock: realClock(),
  versions: [version],
  onStation: (station) => station.handle(() => ({})),
});
server.warm(['MeterValues', 'TransactionEvent']);
process.on('disconnect', () => process.exit());
process.send?.({ port: server.port });
