import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { schemaPath } from '../../protocols/ocpp/schemas.ts';
import { VERSIONS, type Version } from '../../protocols/ocpp/versions.ts';
import { PLUGIN_FILE } from './manifest.ts';

/** Folders of which everything but TypeScript and its shims goes into the package as it is. */
const COPIED = ['nodes', 'mappings', 'flows', 'simulators', 'gateway/console'] as const;

/** Sources of what is generated, and what is generated for development. */
const NOT_COPIED = /^nodes\/(package\.json$|examples\/|[^/]+\/(examples\/|dialog\.(html|js)$|[^/]+\.html$))/;

/** These are their own sources: they run in the browser. */
const BROWSER = /^(gateway\/console|nodes\/editor\/browser|nodes\/[^/]+\/editor)\//;

/** Copies everything that is no code from the repository to the package. */
export async function copyAssets(root: string, to: string): Promise<void> {
  for (const folder of COPIED) {
    const names = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
    const paths = names.filter((n) => n.isFile()).map((n) => relative(root, join(n.parentPath, n.name)));
    for (const path of paths.filter(isAsset)) await copy(join(root, path), join(to, path));
  }
  await copy(join(root, 'gateway/package/plugin.html'), join(to, PLUGIN_FILE.replace(/\.cjs$/, '.html')));
  await copy(join(root, 'LICENSE'), join(to, 'LICENSE'));
  await copy(join(root, 'tools/pack/README.md'), join(to, 'README.md'));
  await copySchemas(root, to);
}

function isAsset(path: string): boolean {
  if (path.endsWith('.ts') || NOT_COPIED.test(path)) return false;
  return !path.endsWith('.js') || BROWSER.test(path);
}

/** The schemas of OCPP, from the package in which they are published, with its licence. */
async function copySchemas(root: string, to: string): Promise<void> {
  const folder = join(to, 'protocols/ocpp/schemas');
  for (const version of Object.keys(VERSIONS) as Version[]) {
    await copy(schemaPath(version), join(folder, VERSIONS[version].schemaFile));
  }
  await copy(join(root, 'node_modules/ocpp-rpc/LICENSE.md'), join(folder, 'LICENSE.md'));
}

/**
 * What the compiled code needs beside the compiler's work: Express comes from the Node-RED that runs it, commands can be
 * called, and Node-RED finds a plugin that it can `require`.
 */
export async function finishCode(to: string): Promise<void> {
  // Only types were imported from there.
  await rm(join(to, 'generated'), { recursive: true, force: true });
  const express = join(to, 'gateway/package/host-express.js');
  for (const path of await codeBelow(join(to, 'gateway'))) {
    const text = await readFile(path, 'utf8');
    const place = relative(dirname(path), express).replaceAll('\\', '/');
    const changed = text.replaceAll(/from 'express';/g, `from '${place.startsWith('.') ? place : `./${place}`}';`);
    if (changed !== text) await writeFile(path, changed);
  }
  const command = join(to, 'gateway/cli/main.js');
  await writeFile(command, `#!/usr/bin/env node\n${await readFile(command, 'utf8')}`, { mode: 0o755 });
  await writeFile(join(to, PLUGIN_FILE), PLUGIN);
}

/** Node-RED `require`s plugins and imports nodes. */
const PLUGIN = `module.exports = async (RED) => (await import('./plugin.js')).default(RED);\n`;

/** Compiled files outside of the console. */
export async function codeBelow(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  return names.filter((n) => n.isFile() && n.name.endsWith('.js')).map((n) => join(n.parentPath, n.name));
}

/** Writes what tools/generate-nodes.ts makes: editor parts, and the import menu where Node-RED looks for it in a package. */
export async function writeGenerated(files: Readonly<Record<string, string>>, to: string): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    if (path === 'nodes/package.json' || path.endsWith('.js')) continue;
    const place = join(to, path.replace(/^nodes\/examples\//, 'examples/'));
    await mkdir(dirname(place), { recursive: true });
    await writeFile(place, content);
  }
}

async function copy(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await cp(from, to);
}
