import { children, type Node } from '../ast.ts';
import type { Report } from '../diagnostic.ts';
import { startOf } from '../position.ts';
import { unitOfName } from './text.ts';

/** Reports fields with a unit suffix that are fed directly from a field with another unit. */
export function checkUnits(node: Node): Report[] {
  const reports = children(node).flatMap(checkUnits);
  if (node.type !== 'unary' || node.value !== '{') return reports;
  for (const [key, value] of node.lhs) {
    const target = key.type === 'string' ? unitOfName(String(key.value)) : undefined;
    const source = fieldRead(value);
    const unit = source && unitOfName(source.name);
    if (target === undefined || source === undefined || unit === undefined || unit === target) continue;
    reports.push({
      code: 'mapping.unit',
      message: `${String(key.type === 'string' && key.value)} (${target}) is fed from ${source.name} (${unit}).`,
      at: source.at,
    });
  }
  return reports;
}

/** The field that an expression hands on unchanged. */
function fieldRead(node: Node): { readonly name: string; readonly at: number } | undefined {
  const last = node.type === 'path' && !node.group ? node.steps.at(-1) : undefined;
  return last?.type === 'name' ? { name: last.value, at: startOf(last) } : undefined;
}
