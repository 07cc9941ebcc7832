import { NODES } from '../../nodes/registry.ts';
import { nodeRedSection } from '../generate-nodes.ts';

/** What the package reads of the manifest of the repository. */
export interface RepositoryManifest {
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** Name under which the package is installed. */
export const PACKAGE_NAME = '@v2gate/node-red-gateway';

/** The file of the package that puts the gateway into Node-RED, from its root. */
export const PLUGIN_FILE = 'gateway/package/plugin.cjs';

/**
 * Packages that the packed code needs. Left out on purpose: node-red and express (the Node-RED that it is installed into
 * has both), the Node binaries, aedes and selfsigned (see OPTIONAL), and ocpp-rpc, of which only the schemas are copied.
 */
const NEEDED = ['ajv', 'jsonata', 'mqtt', 'typebox', 'uplot', 'ws'] as const;

/** What only some want, and can add beside the package: an own MQTT broker, development certificates. */
const OPTIONAL = ['aedes', 'selfsigned'] as const;

/** The manifest of the package: the repository's versions, and nothing of its scripts and tools. */
export function packageManifest(repository: RepositoryManifest): object {
  const versionOf = (name: string): string => {
    const version = repository.dependencies[name];
    if (version === undefined) throw new Error(`package.json has no dependency ${name}, which the package needs.`);
    return version;
  };
  return {
    name: PACKAGE_NAME,
    version: repository.version,
    description: repository.description,
    license: repository.license,
    keywords: ['node-red', 'ev-charging', 'ocpp', 'flexibility', 'v2g', 'smart-charging'],
    type: 'module',
    // Oldest with node:sqlite and require(esm) without a flag.
    engines: { node: '>=22.13' },
    bin: { v2gate: 'gateway/cli/main.js' },
    dependencies: Object.fromEntries(NEEDED.map((name) => [name, versionOf(name)])),
    peerDependencies: Object.fromEntries(OPTIONAL.map((name) => [name, `^${versionOf(name)}`])),
    peerDependenciesMeta: Object.fromEntries(OPTIONAL.map((name) => [name, { optional: true }])),
    'node-red': { ...nodeRedSection(NODES, 'nodes/'), plugins: { v2gate: PLUGIN_FILE } },
  };
}
