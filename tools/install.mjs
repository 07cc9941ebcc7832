/**
 * Makes a fresh clone ready: installs the packages of package-lock.json when they are missing or different, then runs
 * the generators. Runs before start and test, on any Node from 18 on (the rest of the project needs the Node 24 that it
 * installs), and takes a few milliseconds when there is nothing to do.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stampFile = join(root, 'node_modules', '.v2gate-stamp.json');

/** Programs that write ignored or generated files: what they read, and a file that tells that they ran. */
const GENERATORS = [
  { script: 'tools/generate-ocpp-types.ts', name: 'OCPP types', reads: [], writes: 'generated/ocpp' },
  {
    script: 'tools/generate-nodes.ts',
    name: 'the editor part of the nodes',
    reads: ['nodes', 'flows'],
    writes: 'nodes/examples',
  },
];

/** Oldest Node that runs the sources as they are (type stripping without a flag). */
const OLDEST_NODE = [22, 18];

/** @typedef {{ lock?: string, dev?: boolean, generators?: Record<string, string> }} Stamp */

/** A failure that is explained to the person in front of the terminal. */
class Stop extends Error {}

main().catch((e) => {
  process.stderr.write(`v2gate: ${e instanceof Stop ? e.message : `the installer failed: ${e?.stack ?? e}`}\n`);
  process.exitCode = 1;
});

async function main() {
  const lockText = read('package-lock.json');
  if (lockText === undefined) throw new Stop('package-lock.json is missing. Restore it from the repository.');
  const lock = hash(lockText);
  // Only the start does without the packages of development (an image may have been built without them).
  const dev = process.env.npm_lifecycle_event !== 'prestart';
  const stamp = readStamp();
  const known = stamp.lock === lock && (stamp.dev === true || !dev);
  if (!known) {
    const why = reasonToInstall(lockText, dev);
    if (why !== undefined) await install(why);
    writeStamp({ lock, dev: why !== undefined || dev });
  }
  linkCommand();
  const now = readStamp();
  const generators = generate(newNode(), lock, now.generators ?? {});
  if (JSON.stringify(generators) !== JSON.stringify(now.generators)) writeStamp({ ...now, generators });
}

/** Lets `npx v2gate` find the command of this project at once, as npm does for installed packages. */
function linkCommand() {
  const link = join(root, 'node_modules', '.bin', 'v2gate');
  if (process.platform === 'win32' || existsSync(link) || !existsSync(dirname(link))) return;
  rmSync(link, { force: true });
  symlinkSync(join('..', '..', 'gateway', 'cli', 'main.js'), link);
}

/**
 * Why `npm ci` must run, or undefined: compares npm's own record of what it installed with the lock.
 * @param {string} lockText
 * @param {boolean} dev
 * @returns {string | undefined}
 */
function reasonToInstall(lockText, dev) {
  if (!existsSync(join(root, 'node_modules'))) return 'node_modules is missing';
  const record = read('node_modules/.package-lock.json');
  if (record === undefined) return 'node_modules is incomplete';
  const wanted = packagesOf(lockText);
  const installed = packagesOf(record);
  for (const [path, want] of Object.entries(wanted)) {
    // npm ci leaves out what a lock calls extraneous.
    if (path === '' || want.extraneous) continue;
    const have = installed[path];
    if (have?.version === want.version && have?.integrity === want.integrity) continue;
    if (have === undefined && (want.optional || want.devOptional || (want.dev && !dev))) continue;
    return have === undefined ? `${name(path)} is missing` : `${name(path)} is ${have.version}, not ${want.version}`;
  }
  return undefined;
}

/** @param {string} text @returns {Record<string, { version?: string, integrity?: string, optional?: boolean, dev?: boolean, devOptional?: boolean, extraneous?: boolean }>} */
function packagesOf(text) {
  try {
    return JSON.parse(text).packages ?? {};
  } catch {
    throw new Stop('package-lock.json is not valid JSON. Restore it from the repository.');
  }
}

/** @param {string} path */
function name(path) {
  return path.replace(/^.*node_modules\//, '');
}

/** @param {string} why */
async function install(why) {
  process.stdout.write(`v2gate: installing packages, because ${why} (npm ci, about a minute)\n`);
  const { code, errors } = await npmCi();
  if (code === 0) return;
  rmSync(stampFile, { force: true });
  if (code === 'ENOENT') throw new Stop('npm was not found. Install Node.js together with npm and try again.');
  if (
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED|network|certificate|proxy/i.test(
      errors,
    )
  ) {
    throw new Stop(
      'npm could not reach its registry, so the packages are not installed. Check the network and the npm settings ' +
        '(npm config get registry, proxy, https-proxy, cafile) and run the same command again.',
    );
  }
  if (/ENOSPC/.test(errors))
    throw new Stop('The disk is full: the packages need about 700 MB. Make room and try again.');
  throw new Stop(
    `npm ci failed (exit code ${code}); its own message stands above. Correct that and run the same command again.`,
  );
}

/**
 * npm must run on the Node it came with and not on the one inside node_modules, which it is about to replace.
 * @returns {Promise<{ code: number | string, errors: string }>}
 */
function npmCi() {
  const path = (process.env.PATH ?? '').split(delimiter).filter((p) => !/node_modules[\\/]\.bin$/.test(p));
  return new Promise((done) => {
    const child = spawn('npm', ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund'], {
      cwd: root,
      env: { ...process.env, PATH: path.join(delimiter) },
      stdio: ['ignore', 'inherit', 'pipe'],
      shell: process.platform === 'win32',
    });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      process.stderr.write(text);
      errors = (errors + text).slice(-20_000);
    });
    child.on('error', (e) => done({ code: 'code' in e ? String(e.code) : e.message, errors }));
    child.on('close', (code, signal) => done({ code: code ?? signal ?? 1, errors }));
  });
}

/** The Node that runs the sources: the installed one, else this one if it is new enough. */
function newNode() {
  const installed = join(root, 'node_modules', '.bin', 'node');
  if (process.platform !== 'win32' && existsSync(installed)) return installed;
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [oldMajor = 0, oldMinor = 0] = OLDEST_NODE;
  if (major > oldMajor || (major === oldMajor && minor >= oldMinor)) return process.execPath;
  throw new Stop(
    `This is Node ${process.versions.node}, and for ${process.platform}-${process.arch} no newer one could be installed. ` +
      `Install Node ${OLDEST_NODE.join('.')} or later; on Linux see that npm does not omit optional packages.`,
  );
}

/**
 * Runs each generator whose sources changed since it last ran. Answers the new state of the stamp.
 * @param {string} node
 * @param {string} lock
 * @param {Record<string, string>} before
 */
function generate(node, lock, before) {
  /** @type {Record<string, string>} */
  const done = {};
  for (const { script, name: what, reads, writes } of GENERATORS) {
    if (!existsSync(join(root, script))) continue;
    const state = () =>
      hash([lock, ...reads.flatMap(listing), ...sourcesOf(script).map((f) => read(f) ?? '')].join('\0'));
    if (before[script] !== state() || !existsSync(join(root, writes))) {
      process.stdout.write(`v2gate: generating ${what}\n`);
      const run = spawnSync(node, [join(root, script)], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
      if (run.status !== 0) {
        const how = run.error?.message ?? `exit code ${run.status}`;
        throw new Stop(`${script} failed (${how}); its own message stands above.`);
      }
    }
    // Taken after the run, because a generator may write into the folder that it reads.
    done[script] = state();
  }
  return done;
}

/**
 * A module and everything it imports by a relative path, as paths from the root.
 * @param {string} script
 */
function sourcesOf(script) {
  const found = new Set([script]);
  for (const file of found) {
    for (const [, path = ''] of (read(file) ?? '').matchAll(/\bfrom '(\.[^']+)'/g)) {
      found.add(join(dirname(file), path));
    }
  }
  return [...found].sort();
}

/**
 * Names and times of the files below a folder.
 * @param {string} folder
 * @returns {string[]}
 */
function listing(folder) {
  const path = resolve(root, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    const child = join(folder, entry.name);
    if (entry.isDirectory()) return listing(child);
    const { size, mtimeMs } = statSync(join(root, child));
    return [`${child} ${size} ${mtimeMs}`];
  });
}

/** @returns {Stamp} */
function readStamp() {
  try {
    return JSON.parse(readFileSync(stampFile, 'utf8'));
  } catch {
    return {};
  }
}

/** @param {Stamp} stamp */
function writeStamp(stamp) {
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, JSON.stringify(stamp));
}

/** @param {string} path */
function read(path) {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch {
    return undefined;
  }
}

/** @param {string} text */
function hash(text) {
  return createHash('sha256').update(text).digest('hex');
}
