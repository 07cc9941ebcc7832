import { describeError, type Issue } from '../errors.ts';
import { at, explain } from './explain.ts';
import type { Field, ObjectSpec, Spec } from './spec.ts';

/** Checks a value of the right form for what JSON Schema cannot say; paths are relative to the value. */
export type DeepCheck = (value: unknown, parent: unknown) => readonly Issue[];

const NONE: readonly Issue[] = [];
const MAX_ISSUES = 50;

/**
 * The check for sibling choices, the depth of opaque values and rules across fields; undefined when the form says all.
 * Built once per message, so that a valid value costs no more than its rules. `name` is how sentences call the value.
 */
export function deepCheck(spec: Spec, name = 'the message'): DeepCheck | undefined {
  switch (spec.kind) {
    case 'object':
      return objectCheck(spec);
    case 'list': {
      const item = deepCheck(spec.item.spec, `an item of ${name}`);
      return item && ((value) => (Array.isArray(value) ? each(value.entries(), item, value) : NONE));
    }
    case 'record': {
      const item = deepCheck(spec.value.spec, `an entry of ${name}`);
      return item && ((value) => (isObject(value) ? each(Object.entries(value), item, value) : NONE));
    }
    case 'union': {
      const branches = new Map(Object.entries(spec.branches).map(([k, b]) => [k, deepCheck(b.spec)]));
      if ([...branches.values()].every((b) => b === undefined)) return undefined;
      return (value, parent) => {
        const choice = isObject(value) ? value[spec.discriminator] : undefined;
        return (typeof choice === 'string' && branches.get(choice)?.(value, parent)) || NONE;
      };
    }
    case 'sibling':
      return (value, parent) => {
        const choice = isObject(parent) ? parent[spec.sibling] : undefined;
        const branch =
          typeof choice === 'string' && Object.hasOwn(spec.branches, choice) ? spec.branches[choice] : undefined;
        if (branch) return branch.check(value);
        return [{ path: '', code: 'schema.invalid', message: `${name} does not go with this ${spec.sibling}.` }];
      };
    case 'json':
      return (value) => explain(spec, value, '', name);
    default:
      return undefined;
  }
}

function objectCheck(spec: ObjectSpec): DeepCheck | undefined {
  const parts = Object.entries(spec.fields).flatMap(([key, f]: [string, Field]): [string, DeepCheck][] => {
    const check = deepCheck(f.spec, key);
    return check ? [[key, check]] : [];
  });
  const { rules } = spec;
  if (parts.length === 0 && !rules) return undefined;
  return (value) => {
    if (!isObject(value)) return NONE;
    let issues = NONE;
    for (const [key, check] of parts) {
      if (value[key] !== undefined) issues = add(issues, check(value[key], value), key);
    }
    return issues.length === 0 && rules ? runRules(rules, value) : issues;
  };
}

function each(
  items: Iterable<readonly [string | number, unknown]>,
  check: DeepCheck,
  parent: unknown,
): readonly Issue[] {
  let issues = NONE;
  for (const [key, x] of items) {
    if (issues.length >= MAX_ISSUES) break;
    issues = add(issues, check(x, parent), key);
  }
  return issues;
}

function add(issues: readonly Issue[], more: readonly Issue[], key: string | number): readonly Issue[] {
  if (more.length === 0) return issues;
  return [...issues, ...more.map((i) => ({ ...i, path: at('', key) + i.path }))].slice(0, MAX_ISSUES);
}

function runRules(rules: (v: unknown) => readonly Issue[], value: unknown): readonly Issue[] {
  try {
    return rules(value);
  } catch (e) {
    return [{ path: '', code: 'schema.semantic', message: `A rule could not be applied. ${describeError(e).what}` }];
  }
}

const isObject = (x: unknown): x is Record<string, unknown> => typeof x === 'object' && x !== null && !Array.isArray(x);
