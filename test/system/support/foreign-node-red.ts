import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pack } from '../../../tools/pack.ts';
import { Child, eventually } from './child.ts';
import { ROOT } from './gateway.ts';

const run = promisify(execFile);

/** Installs the package, as it is packed now, into an empty user directory of Node-RED below `folder`. */
export async function installPackage(folder: string): Promise<{ userDir: string; packed: string }> {
  const [out, userDir] = [join(folder, 'out'), join(folder, 'user')];
  const { tarball, folder: packed } = await pack(ROOT, out);
  await mkdir(userDir);
  await writeFile(join(userDir, 'package.json'), JSON.stringify({ name: 'somebody', private: true }));
  await run('npm', ['install', tarball, '--no-audit', '--no-fund', '--loglevel=error', '--prefer-offline'], {
    cwd: userDir,
    env: outside(),
  });
  return { userDir, packed };
}

/** The environment of somebody else: nothing of npm run, vitest or this repository. */
export function outside(): NodeJS.ProcessEnv {
  const foreign =
    /^(npm_(?!config_(registry|cache|userconfig|globalconfig|cafile|.*proxy))|NODE_ENV|VITEST|VITE_|V2GATE_|INIT_CWD|NODE_OPTIONS)/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}

/** The packages below a folder of modules, and the bytes that all of it takes. */
export async function weigh(modules: string): Promise<{ packages: string[]; bytes: number }> {
  const entries = await readdir(modules, { recursive: true, withFileTypes: true });
  const files = entries.filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name));
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  const packages = files.filter((f) => /node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(f));
  return {
    packages: packages.map((f) => f.replace(/^.*node_modules\/|\/package\.json$/g, '')),
    bytes: sizes.reduce((sum, n) => sum + n, 0),
  };
}

/** Somebody's Node-RED: its own process, with a user directory of its own. */
export class ForeignNodeRed {
  readonly child: Child;
  /** `http://127.0.0.1:<port>` */
  readonly url: string;

  private constructor(child: Child, url: string) {
    this.child = child;
    this.url = url;
  }

  /** `settings` is the JavaScript of an object, put into settings.js. */
  static async start(userDir: string, settings = '{}', env: NodeJS.ProcessEnv = {}): Promise<ForeignNodeRed> {
    const file = join(userDir, 'settings.js');
    const base =
      "{ uiHost: '127.0.0.1', uiPort: 0, flowFile: 'flows.json', credentialSecret: 'x', telemetry: { enabled: false }, editorTheme: { tours: false } }";
    await writeFile(file, `module.exports = Object.assign(${base}, ${settings});\n`);
    const child = new Child({
      name: 'Node-RED',
      command: process.execPath,
      args: [join(ROOT, 'node_modules/node-red/red.js'), '-u', userDir, '-s', file],
      cwd: userDir,
      env: { ...outside(), ...env },
    });
    try {
      const line = /Server now running at (http:\/\/127\.0\.0\.1:\d+)/;
      const url = await child.find('the line of its address', (text) => line.exec(text)?.[1], 60_000);
      await child.find('its flows', (text) => (/Started flows/.test(text) ? true : undefined), 30_000);
      return new ForeignNodeRed(child, url);
    } catch (e) {
      await child.stop('SIGKILL');
      throw e;
    }
  }

  async get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    return fetch(`${this.url}${path}`, { headers, signal: AbortSignal.timeout(10_000) });
  }

  async json(path: string, headers: Readonly<Record<string, string>> = {}): Promise<unknown> {
    const response = await this.get(path, { accept: 'application/json', ...headers });
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${(await response.text()).slice(0, 300)}`);
    return response.json();
  }

  async post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    return fetch(`${this.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(10_000),
    });
  }

  /** Makes the flow run, as the deploy button does. */
  async deploy(flow: unknown): Promise<void> {
    const response = await this.post('/flows', flow, { 'Node-RED-Deployment-Type': 'full' });
    if (!response.ok) throw new Error(`the deploy answered ${response.status}: ${await response.text()}`);
  }

  /** Waits until the health of the gateway in it is 200. */
  ready(ms = 30_000): Promise<unknown> {
    return eventually('/v2gate/health answers 200', () => this.json('/v2gate/health'), ms);
  }
}

/** Removes what a test left, also while a process is just letting go of it. */
export const remove = (folder: string): Promise<void> =>
  rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });

export const readJson = async (file: string): Promise<unknown> => JSON.parse(await readFile(file, 'utf8'));
