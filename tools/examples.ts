import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** A flow that the import menu of Node-RED offers. */
export interface ExampleFlow {
  /** Path in the menu, with `/` between its levels and the ending `.json`. */
  readonly menuPath: string;
  /** Absolute path of the flow file. */
  readonly file: string;
}

/** Folders of the menu; digits keep use cases before single nodes. */
const USE_CASES = '1 Use cases';
const SINGLE_NODES = '2 Nodes, one by one';

/**
 * Every flow for the import menu, in the order of the menu: `flows/<use case>/<Title>.json` and
 * `nodes/<node>/examples/<Title>.json`. The one source for the development module and for the package.
 */
export function collectExamples(root: string): ExampleFlow[] {
  const useCases = foldersIn(join(root, 'flows')).flatMap((folder) => flowsIn(join(root, 'flows', folder), USE_CASES));
  const nodes = foldersIn(join(root, 'nodes')).flatMap((folder) =>
    flowsIn(join(root, 'nodes', folder, 'examples'), SINGLE_NODES),
  );
  return [...useCases, ...nodes].sort((a, b) => (a.menuPath < b.menuPath ? -1 : 1));
}

/** Titles begin with a capital; `site.json` and the like are no flows. */
function flowsIn(folder: string, menu: string): ExampleFlow[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => /^[A-Z].*\.json$/.test(file))
    .map((file) => ({ menuPath: `${menu}/${file}`, file: join(folder, file) }));
}

function foldersIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
}
