import { posix } from 'node:path';
import { type Source, type Violation, violation } from './source.ts';

/** What a room may import by a relative path (design 1); its own files always. `protocols/*` stands for each of them. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  model: ['core'],
  core: [],
  hub: ['model', 'core'],
  'protocols/fo': ['core', 'model'],
  'protocols/*': ['core'],
  'bridges/*': ['hub', 'model', 'core'], // and the protocol of the same name
  nodes: ['bridges/*', 'hub', 'model', 'core', 'types'],
  gateway: ['bridges/*', 'hub', 'model', 'core', 'types'],
  simulators: ['protocols/*', 'model', 'core'],
  types: [],
};

/** Rooms that may import everything. */
const FREE = ['test', 'tools', 'bench', 'docker', '.'];

/** Which packages a room may use, beside those of Node itself. A name in braces may only be imported as a type. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  model: [],
  core: ['typebox', 'jsonata', 'selfsigned'],
  hub: [],
  'protocols/ocpp': ['ws', 'ajv'],
  'protocols/fo': ['ws', 'mqtt', 'aedes'],
  'protocols/*': ['ws'],
  'bridges/*': [],
  nodes: ['{node-red}'],
  gateway: ['node-red', 'express', 'uplot'],
  simulators: [],
  types: ['{node-red}', '{express}'],
};

/** Rooms without I/O, and the parts of Node that would be it. */
const PURE = ['model', 'hub'];
const IO =
  /^node:(fs|net|tls|https?|http2|dgram|dns|child_process|cluster|worker_threads|sqlite|readline|timers)(\/|$)/;

interface Import {
  readonly at: number;
  readonly spec: string;
  readonly typeOnly: boolean;
}

/** Imports against the direction of design 1, and packages in rooms that must not know them. */
export function importViolations(sources: readonly Source[]): Violation[] {
  return sources.flatMap((s) => {
    const from = roomOf(s.path);
    if (FREE.includes(from)) return [];
    const found = importsOf(s).flatMap((i) => {
      const complaint = i.spec.startsWith('.') ? relativeComplaint(from, s.path, i.spec) : packageComplaint(from, i);
      return complaint === undefined ? [] : [violation(s, i.at, complaint)];
    });
    const computed = [...s.code.matchAll(/\bimport\s*\(\s*[^\s'"`)]/g)].filter(() => from !== 'gateway');
    return [...found, ...computed.map((m) => violation(s, m.index, 'imports a path that is computed'))];
  });
}

/** All `from '…'`, `import '…'`, `import('…')` and `require('…')` of a source. */
export function importsOf(s: Source): Import[] {
  return s.strings.flatMap(({ start, value }) => {
    const before = s.code.slice(Math.max(0, start - 4000), start);
    if (/\b(import|require)\s*(\.\s*resolve\s*)?\(\s*$/.test(before))
      return [{ at: start, spec: value, typeOnly: false }];
    const statement = /\b(import|export)\b(?:(?!\b(?:import|export)\b)[^;'"])*\bfrom\s*$/.exec(before)?.[0];
    if (statement !== undefined)
      return [{ at: start, spec: value, typeOnly: /^(import|export)\s+type\b/.test(statement) }];
    return /(^|[;\n}])\s*import\s*$/.test(before) ? [{ at: start, spec: value, typeOnly: false }] : [];
  });
}

/** `hub`, `protocols/ocpp`, … of a path; `.` for files at the root. */
export function roomOf(path: string): string {
  const [first = '', second = ''] = path.split('/');
  if (second === '') return '.';
  return first === 'protocols' || first === 'bridges' || first === 'generated' ? `${first}/${second}` : first;
}

function relativeComplaint(from: string, path: string, spec: string): string | undefined {
  const target = posix.join(posix.dirname(path), spec);
  if (target.startsWith('..')) return `imports ${spec} from outside the repository`;
  const to = roomOf(target);
  if (to === from || (from.startsWith('bridges/') && to === from.replace('bridges/', 'protocols/'))) return undefined;
  if (from.startsWith('protocols/') && to === from.replace('protocols/', 'generated/')) return undefined;
  const allowed = lookUp(ALLOWED, from);
  if (allowed.includes(to) || allowed.includes(to.replace(/\/.*/, '/*'))) return undefined;
  return `${from} must not import ${to} (${spec}); it may import ${allowed.join(', ') || 'nothing'}`;
}

function packageComplaint(from: string, { spec, typeOnly }: Import): string | undefined {
  if (spec.startsWith('node:')) {
    return PURE.includes(from) && IO.test(spec) ? `${from} does no input or output, but imports ${spec}` : undefined;
  }
  const name = /^(@[^/]+\/)?[^/]+/.exec(spec)?.[0] ?? spec;
  const allowed = lookUp(PACKAGES, from);
  if (allowed.includes(name) || (typeOnly && allowed.includes(`{${name}}`))) return undefined;
  return `${from} must not import the package ${name}`;
}

function lookUp(table: Readonly<Record<string, readonly string[]>>, room: string): readonly string[] {
  return table[room] ?? table[room.replace(/\/.*/, '/*')] ?? [];
}
