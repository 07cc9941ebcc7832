import type { Spec } from './spec.ts';

/** A copy of `value` with only the fields that `spec` declares; other differences stay for the check to find. */
export function withoutUnknown(spec: Spec, value: unknown, parent?: unknown): unknown {
  switch (spec.kind) {
    case 'object':
      if (!isObject(value)) return value;
      return Object.fromEntries(
        Object.entries(value).flatMap(([k, v]) => {
          const field = Object.hasOwn(spec.fields, k) ? spec.fields[k] : undefined;
          if (field) return [[k, withoutUnknown(field.spec, v, value)]];
          return spec.open ? [[k, v]] : [];
        }),
      );
    case 'list':
      return Array.isArray(value) ? value.map((x) => withoutUnknown(spec.item.spec, x, value)) : value;
    case 'record':
      if (!isObject(value)) return value;
      return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, withoutUnknown(spec.value.spec, v, value)]));
    case 'union':
    case 'sibling': {
      const chooser = spec.kind === 'union' ? value : parent;
      const choice = textOf(chooser, spec.kind === 'union' ? spec.discriminator : spec.sibling);
      const branch = choice !== undefined && Object.hasOwn(spec.branches, choice) ? spec.branches[choice] : undefined;
      return branch ? withoutUnknown(branch.spec, value, parent) : value;
    }
    default:
      return value;
  }
}

const isObject = (x: unknown): x is Record<string, unknown> => typeof x === 'object' && x !== null && !Array.isArray(x);

function textOf(x: unknown, key: string): string | undefined {
  if (!isObject(x) || !Object.hasOwn(x, key)) return undefined;
  const value = x[key];
  return typeof value === 'string' ? value : undefined;
}
