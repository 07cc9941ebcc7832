import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type GatewayProcess, ROOT } from './gateway.ts';

/** What of whose: the documents of one service. */
export interface Evidence {
  readonly siteId: string;
  readonly foId: string;
  readonly recordId: string;
  readonly proofId: string;
}

/** What `npx v2gate verify` says of record, proof and log as the gateway hands them out; rejects when something is wrong. */
export async function verifyDownloads({ url }: GatewayProcess, of: Evidence): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'v2gate-evidence-'));
  const site = `${url}/v2gate/api/sites/${of.siteId}`;
  const files = {
    'record.json': `${site}/records/${of.recordId}`,
    'proof.json': `${site}/proofs/${of.proofId}`,
    'events.jsonl': `${site}/events?fo=${of.foId}`,
    'jwks.json': `${url}/.well-known/jwks.json`,
  };
  try {
    for (const [name, from] of Object.entries(files))
      await writeFile(join(dir, name), await (await fetch(from, { signal: AbortSignal.timeout(5_000) })).text());
    const paths = ['record.json', 'proof.json', 'events.jsonl'].map((name) => join(dir, name));
    const args = [join(ROOT, 'gateway/cli/main.ts'), 'verify', ...paths, '--jwks', join(dir, 'jwks.json')];
    return (await promisify(execFile)(process.execPath, args, { cwd: ROOT })).stdout;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
