/** A server process of the bench: `child.ts <kind> <version>`, driven over IPC. */
import { serveByHand } from './hand.ts';
import type { FromServer, ToServer, Version } from './messages.ts';
import { serveProduct } from './product.ts';

const [, , kind, name] = process.argv;
const version: Version = name === 'ocpp2.1' ? 'ocpp2.1' : 'ocpp1.6';
const bench = await (kind === 'v2gate'
  ? serveProduct(version)
  : serveByHand(version, kind === 'echo' ? 'echo' : 'hand'));
const tell = (m: FromServer): void => {
  process.send?.(m);
};

const cpuUs = (): number => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

process.on('message', async (m: ToServer) => {
  if (m.do === 'usage') {
    tell({ cpuUs: cpuUs(), messages: bench.messages() });
    return;
  }
  const [start, cpu] = [performance.now(), cpuUs()];
  const answers = await bench.fanout();
  tell({ fanoutMs: performance.now() - start, fanoutCpuUs: cpuUs() - cpu, answers });
});
process.on('disconnect', () => process.exit());
tell({ port: bench.port });
