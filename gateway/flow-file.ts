import { randomBytes } from 'node:crypto';
import { chmod, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from '../core/errors.ts';
import { GATEWAY_ERRORS } from './errors.ts';

/** Copies the example flow to where the flow file should be, unless there is one. True when it was copied. */
export async function seedFlowFile(flowFile: string, example: string): Promise<boolean> {
  if ((await readIfThere(flowFile)) !== undefined) return false;
  await mkdir(dirname(flowFile), { recursive: true, mode: 0o700 });
  await copyFile(example, flowFile);
  return true;
}

/**
 * Looks into the flow file before Node-RED does, which would take a broken one for an empty one and overwrite it at the
 * next deploy. A broken file is kept as `<file>.broken`. Resolves to what is wrong, `flows.broken`.
 */
export async function checkFlowFile(flowFile: string): Promise<Error | undefined> {
  const text = await readIfThere(flowFile);
  if (text === undefined || text.trim() === '') return undefined;
  const problem = flowProblem(text);
  if (problem === undefined) return undefined;
  const kept = `${flowFile}.broken`;
  await writeFile(kept, text);
  return GATEWAY_ERRORS.fail('flows.broken', `The flow file ${flowFile} cannot be used: ${problem}`, {
    remedy: `Repair it and restart the gateway; a copy was kept as ${kept}, because the next deploy replaces the file.`,
  });
}

function flowProblem(text: string): string | undefined {
  let content: unknown;
  try {
    content = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (e) {
    return `it is not JSON (${e instanceof Error ? e.message : 'unknown'}).`;
  }
  if (!Array.isArray(content)) return 'it is not a list of nodes.';
  const bad = content.findIndex((n: unknown) => !isFlowNode(n));
  return bad < 0 ? undefined : `entry ${bad} is not a node with id and type.`;
}

function isFlowNode(n: unknown): boolean {
  return (
    typeof n === 'object' &&
    n !== null &&
    typeof Reflect.get(n, 'id') === 'string' &&
    typeof Reflect.get(n, 'type') === 'string'
  );
}

/** The key of the flow credentials, made at the first start and readable by its owner only. */
export async function keptSecret(file: string): Promise<string> {
  const kept = (await readIfThere(file))?.trim();
  if (kept) return kept;
  const made = randomBytes(32).toString('hex');
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(file, `${made}\n`, { mode: 0o600 });
  await chmod(file, 0o600);
  return made;
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (e) {
    if (codeOf(e) === 'ENOENT') return undefined;
    throw GATEWAY_ERRORS.fail('data.unwritable', `The file ${file} cannot be read (${codeOf(e) ?? 'unknown'}).`);
  }
}
