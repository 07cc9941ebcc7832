/**
 * Makes the package for somebody's Node-RED: `node tools/pack.ts [--out <folder>]` (default `dist`). Compiles to
 * `<folder>/package`, puts everything beside it that is no code, and packs a tarball into the folder.
 */
import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { generatedFiles } from './generate-nodes.ts';
import { copyAssets, finishCode, writeGenerated } from './pack/files.ts';
import { packageManifest, type RepositoryManifest } from './pack/manifest.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..');

export interface Packed {
  /** Folder with the content of the package. */
  readonly folder: string;
  /** Path of the tarball. */
  readonly tarball: string;
}

/** Packs the repository at `root` into `out`; what an earlier call left there is replaced. */
export async function pack(root: string, out: string): Promise<Packed> {
  const folder = join(out, 'package');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await compile(root, folder);
  await copyAssets(root, folder);
  await writeGenerated(generatedFiles(root), folder);
  await finishCode(folder);
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as RepositoryManifest;
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(packageManifest(manifest), null, 2)}\n`);
  const { stdout } = await run('npm', ['pack', folder, '--pack-destination', out, '--ignore-scripts', '--silent'], {
    cwd: out,
    // npm run hands its own settings down, which are about the repository.
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_(package|lifecycle)_/.test(name))),
  });
  return { folder, tarball: join(out, basename(stdout.trim().split('\n').at(-1) ?? '')) };
}

/** `npm run check` looks at the types of everything; here they are only taken away. */
async function compile(root: string, to: string): Promise<void> {
  const project = join(root, 'tools/pack/tsconfig.json');
  await run(join(root, 'node_modules/.bin/tsc'), ['-p', project, '--outDir', to, '--noCheck']);
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { out: { type: 'string', default: join(ROOT, 'dist') } } });
  const { tarball } = await pack(ROOT, resolve(values.out));
  process.stdout.write(`${tarball}\n`);
}
