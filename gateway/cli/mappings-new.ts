import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { nearest } from '../../core/mapping/analysis/text.ts';
import { skeleton } from '../../core/mapping/skeleton.ts';
import { mappingSchemas } from '../mapping-schemas.ts';
import type { MappingsCall } from './mappings.ts';

/** `mappings new` */
export async function newMapping({ terminal, from, to, variant, out, names }: MappingsCall): Promise<number> {
  if (from === undefined || to.length === 0 || names.length > 0) {
    terminal.err('Name source and target, e.g. --from hub/PowerCommand --to ocpp2.1/SetChargingProfileRequest.');
    return 2;
  }
  const schemas = mappingSchemas();
  const unknown = [from, ...to].find((topic) => schemas.message(topic) === undefined);
  if (unknown !== undefined) {
    const meant = nearest(unknown, schemas.topics?.() ?? []);
    terminal.err(`There is no message ${unknown}.${meant === undefined ? '' : ` Is ${meant} meant?`}`);
    return 2;
  }
  const made = skeleton({ from, to, schemas, ...(variant === undefined ? {} : { variant }) });
  if (out === undefined) {
    terminal.out(made.text.trimEnd());
    terminal.err(`Save it as <your folder>/${made.path}, or let --out <your folder> do it.`);
    return 0;
  }
  const file = out.endsWith('.jsonata') ? out : join(out, made.path);
  const examples = file.replace(/\.jsonata$/, '.examples.json');
  const taken = [file, examples].find((f) => existsSync(f));
  if (taken !== undefined) {
    terminal.err(`${taken} exists${statSync(taken).isFile() ? '' : ' and is no file'}; move it away first.`);
    return 1;
  }
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, made.text);
  writeFileSync(examples, made.examples);
  for (const f of [file, examples]) terminal.out(f);
  terminal.err(`Next: npx v2gate mappings check ${file}`);
  return 0;
}
