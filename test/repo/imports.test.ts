import { describe, expect, it } from 'vitest';
import { importsOf, importViolations } from './rules/imports.ts';
import { loadSources, toSource } from './rules/source.ts';

const complaints = (path: string, text: string): string[] =>
  importViolations([toSource(path, text)]).map((v) => v.what);

describe('imports', () => {
  it('of the whole repository point the way of design 1', () => {
    expect(importViolations(loadSources())).toEqual([]);
  });

  it.each([
    ['model/a.ts', '../hub/b.ts'],
    ['core/a.ts', '../model/b.ts'],
    ['hub/fleet/a.ts', '../../protocols/ocpp/index.ts'],
    ['protocols/ocpp/a.ts', '../fo/index.ts'],
    ['protocols/ocpp/a.ts', '../../model/index.ts'],
    ['bridges/fo/a.ts', '../ocpp/index.ts'],
    ['bridges/fo/a.ts', '../../protocols/ocpp/index.ts'],
    ['nodes/map/a.ts', '../../protocols/ocpp/index.ts'],
    ['nodes/map/a.ts', '../../gateway/main.ts'],
    ['gateway/a.ts', '../nodes/map/map.ts'],
    ['gateway/a.ts', '../simulators/fo/main.ts'],
    ['simulators/core/a.ts', '../../hub/ports.ts'],
    ['hub/a.ts', '../test/support/b.ts'],
    ['hub/a.ts', '../../elsewhere/b.ts'],
  ])('%s must not import %s', (path, spec) => {
    expect(complaints(path, `import { x } from '${spec}';`)).toHaveLength(1);
    expect(complaints(path, `import type { X } from '${spec}';`)).toHaveLength(1);
    expect(complaints(path, `export * from '${spec}';`)).toHaveLength(1);
    expect(complaints(path, `const m = await import('${spec}');`)).toHaveLength(1);
  });

  it.each([
    ['model/a.ts', '../core/b.ts'],
    ['protocols/fo/a.ts', '../../model/index.ts'],
    ['protocols/ocpp/a.ts', '../../generated/ocpp/v16.ts'],
    ['bridges/ocpp/a.ts', '../../protocols/ocpp/index.ts'],
    ['nodes/map/a.ts', '../../bridges/ocpp/index.ts'],
    ['simulators/fo/a.ts', '../../protocols/fo/index.ts'],
    ['test/hub/a.ts', '../../gateway/main.ts'],
  ])('%s may import %s', (path, spec) => {
    expect(complaints(path, `import {\n  x,\n} from '${spec}';\n// from '../../gateway/x.ts'`)).toEqual([]);
  });

  it.each([
    ['hub/a.ts', `import RED from 'node-red';`],
    ['nodes/map/a.ts', `import RED from 'node-red';`],
    ['bridges/ocpp/a.ts', `import { WebSocket } from 'ws';`],
    ['hub/a.ts', `import { readFileSync } from 'node:fs';`],
    ['model/a.ts', `import { setTimeout } from 'node:timers/promises';`],
    ['gateway/a.ts', `import { WebSocket } from 'ws';`],
    ['hub/a.ts', `import(name)`],
    ['hub/a.ts', `import 'express';`],
  ])('%s must not say %s', (path, text) => {
    expect(complaints(path, text)).toHaveLength(1);
  });

  it.each([
    ['nodes/map/a.ts', `import type { NodeAPI } from 'node-red';`],
    ['gateway/a.ts', `import RED from 'node-red';`],
    ['protocols/fo/a.ts', `import { WebSocket } from 'ws';`],
    ['hub/a.ts', `const s = 'node-red'; import { createHash } from 'node:crypto';`],
  ])('%s may say %s', (path, text) => {
    expect(complaints(path, text)).toEqual([]);
  });

  it('are found in every form', () => {
    const text = `import a, { b } from 'one';\nimport type { C } from 'two';\nexport { d } from 'three';\nimport 'four';\nlet e = import('five'); const from = 'six'; f('seven');`;
    expect(importsOf(toSource('a.ts', text)).map((i) => i.spec)).toEqual(['one', 'two', 'three', 'four', 'five']);
  });
});
