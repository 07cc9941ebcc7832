/**
 * Starts gateway/main.ts with a store of compiled code, which the next start and the simulators take it from: a quarter less
 * of a core until it is up, and less memory, for nothing has to be stripped of its types then. This file itself has no
 * types for the same reason. The store lies beside the packages or, where that may not be written (a container), in the
 * data folder. `NODE_COMPILE_CACHE` names another folder, `NODE_DISABLE_COMPILE_CACHE=1` switches it off.
 */
import { constants, enableCompileCache, flushCompileCache } from 'node:module';
import { join } from 'node:path';

if (!process.env.NODE_COMPILE_CACHE) {
  const beside = join(import.meta.dirname, '..', 'node_modules', '.cache', 'v2gate');
  const inData = join(process.env.V2GATE_DATA || '.data', 'compile-cache');
  for (const folder of [beside, inData]) {
    const { status } = enableCompileCache(folder);
    if (status === constants.compileCacheStatus.DISABLED) break;
    if (status === constants.compileCacheStatus.FAILED) continue;
    // For programs that the gateway starts.
    process.env.NODE_COMPILE_CACHE = folder;
    break;
  }
}
await import('./main.ts');
// Now, and not at the end: who is killed writes nothing.
flushCompileCache();
