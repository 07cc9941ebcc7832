import { describeError } from '../errors.ts';
import { description, type Subject, subjectOf } from './analysis/describe.ts';
import type { DescribeOptions, LostFields, Schemas } from './analysis/description.ts';
import { distinct, withoutEchoes } from './analysis/index.ts';
import { checkTargets } from './analysis/targets.ts';
import { nearest } from './analysis/text.ts';
import { checkBesides } from './analysis/units.ts';
import { type Diagnostic, type DiagnosticCode, type Report, toDiagnostic } from './diagnostic.ts';
import { type HeaderReading, parsePath, pathProblems, readHeader } from './header.ts';
import { compile } from './index.ts';
import { startOf } from './position.ts';

export interface DiagnoseOptions extends DescribeOptions {
  /** Relative path of the file, e.g. `ocpp2.1/to-hub/MeterValuesRequest.jsonata`: named in findings and held against the header. */
  readonly path?: string;
  /** Where the forms of messages come from; absent: only what needs none is checked. */
  readonly schemas?: Schemas;
}

const NO_SCHEMAS: Schemas = { message: () => undefined };

/**
 * Every finding about a mapping: those of the compiler, those about its header, and those against the schemas of source,
 * context and targets. For workbench, command line and lists; costs some milliseconds. A text without header is checked
 * without one when the options name no path. Never throws.
 */
export function diagnose(text: string, o: DiagnoseOptions = {}): readonly Diagnostic[] {
  const schemas = o.schemas ?? NO_SCHEMAS;
  const reading = readHeader(text);
  const file = o.path === undefined ? {} : { file: o.path };
  const headless = o.path === undefined && reading.fields.size === 0;
  const { diagnostics } = compile(text, file);
  const reports: Report[] = headless ? [] : headerReports(reading, o.path, schemas);
  const subject = subjectOf(text, schemas, o);
  if (subject.ast && subject.trace) {
    const { trace, targets, ast } = subject;
    reports.push(...trace.reports, ...checkTargets(trace.result, targets, startOf(ast)));
    reports.push(...checkBesides(trace, subject.source));
    if (!headless) reports.push(...lostReports(subject, reading));
  }
  const own = distinct(reports).map((r) => toDiagnostic(r, text, o.path));
  return merged([...diagnostics, ...own]);
}

/** In the order of the text; what two checks found counts once. */
function merged(all: readonly Diagnostic[]): Diagnostic[] {
  const unique = new Map(all.map((d) => [`${d.code} ${d.line}:${d.column} ${d.message}`, d]));
  const found = withoutEchoes([...unique.values()], (d) => `${d.line}:${d.column}`);
  return found.sort((a, b) => a.line - b.line || a.column - b.column);
}

function headerReports(reading: HeaderReading, path: string | undefined, schemas: Schemas): Report[] {
  const reports = [
    ...reading.problems,
    ...topicReports(reading, schemas),
    ...refReports(reading),
    ...whenReports(reading),
  ];
  if (path === undefined) return reports;
  try {
    return [...reports, ...pathProblems(parsePath(path), reading)];
  } catch (e) {
    return [
      ...reports,
      { code: 'mapping.headerPath', message: describeError(e).what, at: 0, hint: describeError(e).remedy },
    ];
  }
}

/** Topics whose language is known but not the message, or of a language that nobody knows. */
function topicReports({ header, fields }: HeaderReading, schemas: Schemas): Report[] {
  const all = schemas.topics?.() ?? [];
  if (all.length === 0) return [];
  const named = [
    ...(header.from === undefined ? [] : [['from', header.from] as const]),
    ...header.to.map((t) => ['to', t] as const),
  ];
  return named.flatMap(([key, topic]): Report[] => {
    if (all.includes(topic) || !topic.includes('/')) return [];
    const [language = ''] = topic.split('/');
    const known = all.some((t) => t.startsWith(`${language}/`));
    if (!known && schemas.languages?.includes(language)) return [];
    const meant = nearest(topic, all);
    const field = fields.get(key);
    const within = field?.text.indexOf(topic) ?? -1;
    return [
      {
        code: 'mapping.headerTopic',
        message: known
          ? `${language} has no message ${topic.slice(language.length + 1)}.`
          : `The language ${language} is not known.`,
        at: (field?.at ?? 0) + Math.max(0, within),
        ...(meant === undefined ? {} : { hint: `Is ${meant} meant?` }),
      },
    ];
  });
}

const REF = /^[a-z][a-z0-9.-]* ([A-Z]\.)?\d+(\.\d+)*$/;

function refReports({ fields }: HeaderReading): Report[] {
  const ref = fields.get('ref');
  if (!ref) return [];
  const wrong = ref.text.split(',').find((r) => !REF.test(r.trim().replace(/\s+/g, ' ')));
  if (wrong === undefined) return [];
  return [
    {
      code: 'mapping.headerRef',
      message: `“${wrong.trim()}” is not a reference.`,
      at: ref.at + ref.text.indexOf(wrong.trim()),
    },
  ];
}

function whenReports({ when }: HeaderReading): Report[] {
  if (!when) return [];
  const { diagnostics } = compile(when.text);
  return diagnostics
    .filter((d) => d.severity === 'error')
    .slice(0, 1)
    .map((d) => ({
      code: 'mapping.headerWhen',
      message: d.message,
      at: when.at + offsetOf(when.text, d),
      ...(d.hint === undefined ? {} : { hint: d.hint }),
    }));
}

function offsetOf(text: string, { line, column }: Diagnostic): number {
  const before = text.split('\n').slice(0, line - 1);
  return before.reduce((n, l) => n + l.length + 1, 0) + column - 1;
}

/** `lost` and `carried` against what is read. */
function lostReports(subject: Subject, { fields }: HeaderReading): Report[] {
  const { lost, from } = description(subject);
  if (!subject.source || from === undefined) return [];
  const at = (name: string): number => {
    for (const key of ['lost', 'carried'] as const) {
      const field = fields.get(key);
      const found = field
        ? new RegExp(`(?<![\\w.*])${name.replace(/[^\w]/g, '\\$&')}(?![\\w.])`).exec(field.text)
        : null;
      if (field && found) return field.at + found.index;
    }
    return fields.get('lost')?.at ?? 0;
  };
  return [
    ...lost.unknown.map(
      (name): Report => ({ code: 'mapping.lostUnknown', message: `${from} has no field ${name}.`, at: at(name) }),
    ),
    ...lost.read.map(
      (name): Report => ({ code: 'mapping.lostRead', message: `${name} is read by the mapping.`, at: at(name) }),
    ),
    ...missing(lost, fields.get('lost')?.at ?? fields.get('from')?.at ?? 0),
  ];
}

function missing(lost: LostFields, at: number): Report[] {
  const [first, ...more] = lost.unstated;
  if (first === undefined) return [];
  const kept = lost.stated.filter((s) => !lost.read.includes(s) && !lost.unknown.includes(s));
  const names = shortened([...kept, ...lost.unstated], lost.unread);
  return [
    {
      code: 'mapping.lostMissing',
      message:
        more.length === 0
          ? `${first} is never read.`
          : `${first} and ${more.length} more are never read: ${more.join(', ')}.`,
      at,
      hint: `Write lost: [${names.join(', ')}], or move what the bridge takes across to \`carried\`.`,
    },
  ];
}

/** `*.name` for what is unread under that name in several places. */
function shortened(paths: readonly string[], unread: readonly string[]): string[] {
  const last = (path: string): string => path.replace(/^.*\./, '');
  const often = (name: string): boolean => unread.filter((p) => last(p) === name).length > 2;
  return [...new Set(paths.map((p) => (often(last(p)) ? `*.${last(p)}` : p)))];
}

/** A finding about a file as a whole, e.g. that its examples do not hold. */
export function fileDiagnostic(code: DiagnosticCode, file: string, message: string): Diagnostic {
  return toDiagnostic({ code, message, at: 0 }, '', file);
}
