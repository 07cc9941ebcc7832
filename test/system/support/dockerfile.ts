import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, lstatSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { dirname, join, matchesGlob } from 'node:path';

/** One instruction of a Dockerfile, its continued lines joined. */
export interface Instruction {
  readonly name: string;
  readonly rest: string;
}

/** A stage: `FROM … AS name` and what follows. */
export interface Stage {
  readonly from: string;
  readonly name: string | undefined;
  readonly steps: readonly Instruction[];
}

/** The stages of a Dockerfile. Throws on an instruction that nobody here can follow, so that none is overlooked. */
export function readDockerfile(text: string): Stage[] {
  const stages: { from: string; name: string | undefined; steps: Instruction[] }[] = [];
  const joined = text.replaceAll(/\\\n\s*/g, ' ').split('\n');
  for (const line of joined.map((l) => l.trim()).filter((l) => l !== '' && !l.startsWith('#'))) {
    const [, name = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    const from = /^(\S+)(?:\s+AS\s+(\S+))?$/i.exec(rest);
    if (name === 'FROM' && from) stages.push({ from: from[1] ?? '', name: from[2], steps: [] });
    else if (KNOWN.includes(name) && stages.length > 0) stages.at(-1)?.steps.push({ name, rest });
    else throw new Error(`Nobody knows how to follow: ${line}`);
  }
  return stages;
}

const KNOWN = ['WORKDIR', 'COPY', 'RUN', 'ENV', 'USER', 'VOLUME', 'EXPOSE', 'HEALTHCHECK', 'ENTRYPOINT', 'CMD'];

/** What a container of an image would be started with. */
export interface Image {
  /** Stands for `/`. */
  readonly root: string;
  readonly workdir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly user: string | undefined;
  readonly volumes: readonly string[];
  readonly command: readonly string[];
  readonly health: readonly string[];
}

export interface BuildOptions {
  readonly context: string;
  /** Each stage gets a folder of its own in it. */
  readonly folder: string;
  /** The Node of the image. */
  readonly node: string;
  /** Users that the base image knows and this machine may not: who stands for them. */
  readonly users: Readonly<Record<string, string>>;
  readonly env: NodeJS.ProcessEnv;
}

/** Follows a Dockerfile in folders in place of containers: absolute paths of its commands lie below the stage's folder. */
export function build(stages: readonly Stage[], ignore: readonly string[], o: BuildOptions): Image {
  const roots: Record<string, string> = {};
  let image: Image | undefined;
  for (const [i, stage] of stages.entries()) {
    const root = join(o.folder, `stage-${i}`);
    mkdirSync(root, { recursive: true });
    if (stage.name !== undefined) roots[stage.name] = root;
    image = runStage(stage, root, roots, ignore, o);
  }
  if (!image) throw new Error('The Dockerfile has no stage.');
  return image;
}

function runStage(
  { steps }: Stage,
  root: string,
  roots: Readonly<Record<string, string>>,
  ignore: readonly string[],
  o: BuildOptions,
): Image {
  const image = { root, workdir: '/', env: {} as Record<string, string>, user: undefined as string | undefined };
  const volumes: string[] = [];
  const entry: string[] = [];
  let command: string[] = [];
  let health: string[] = [];
  for (const { name, rest } of steps) {
    if (name === 'WORKDIR') {
      image.workdir = rest;
      mkdirSync(join(root, rest), { recursive: true });
    } else if (name === 'ENV')
      Object.assign(image.env, Object.fromEntries(rest.split(/\s+/).map((p) => p.split('=', 2))));
    else if (name === 'USER') image.user = rest;
    else if (name === 'VOLUME') volumes.push(rest);
    else if (name === 'ENTRYPOINT') entry.push(...words(rest));
    else if (name === 'CMD') command = words(rest);
    else if (name === 'HEALTHCHECK') health = words(rest.replace(/^.*?CMD /, ''));
    else if (name === 'COPY') copy(rest, image.workdir, root, roots, ignore, o.context);
    else if (name === 'RUN') execute(rest, image, o);
  }
  return { ...image, volumes, command: [...entry, ...command], health };
}

const words = (json: string): string[] => JSON.parse(json) as string[];

function copy(
  rest: string,
  workdir: string,
  root: string,
  roots: Readonly<Record<string, string>>,
  ignore: readonly string[],
  context: string,
): void {
  const from = /^--from=(\S+)\s+/.exec(rest);
  const parts = rest.slice(from?.[0].length ?? 0).split(/\s+/);
  const to = place(root, workdir, parts.pop() ?? '.');
  const source = from ? roots[from[1] ?? ''] : context;
  if (source === undefined) throw new Error(`There is no stage ${from?.[1]}.`);
  for (const part of parts) {
    const path = join(source, part);
    // Nobody looks at an earlier stage again, and moving is quick.
    if (from) for (const name of readdirSync(path)) renameSync(join(path, name), join(to, name));
    else if (lstatSync(path).isFile()) cpSync(path, join(to, part));
    else copyContext(context, '', to, ignore);
  }
}

/** The build context without what .dockerignore leaves out. */
function copyContext(context: string, below: string, to: string, ignore: readonly string[]): void {
  for (const entry of readdirSync(join(context, below), { withFileTypes: true })) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (ignore.some((pattern) => matchesGlob(path, pattern))) continue;
    if (entry.isDirectory()) copyContext(context, path, to, ignore);
    else {
      mkdirSync(dirname(join(to, path)), { recursive: true });
      cpSync(join(context, path), join(to, path), { verbatimSymlinks: true });
    }
  }
}

function execute(
  command: string,
  image: { root: string; workdir: string; env: Record<string, string> },
  o: BuildOptions,
): void {
  const users = Object.entries(o.users).reduce(
    (text, [theirs, ours]) => text.replaceAll(new RegExp(`(-o) ${theirs}\\b`, 'g'), `$1 ${ours}`),
    command,
  );
  const local = users.replaceAll(/(^|\s)(\/[a-z][\w/-]*)/g, (_, space, path) => `${space}${join(image.root, path)}`);
  const ran = spawnSync('sh', ['-ec', local], {
    cwd: join(image.root, image.workdir),
    env: { ...o.env, ...image.env, PATH: `${dirname(o.node)}:${o.env.PATH ?? ''}` },
    encoding: 'utf8',
    timeout: 240_000,
  });
  if (ran.status !== 0) throw new Error(`RUN ${command}\nended with ${ran.status}: ${ran.stderr.slice(-2_000)}`);
}

function place(root: string, workdir: string, path: string): string {
  const absolute = path.startsWith('/') ? path : join(workdir, path);
  const at = join(root, absolute);
  if (!existsSync(at)) mkdirSync(at, { recursive: true });
  return at;
}
