import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Part, Version } from './versions.ts';
import { VERSIONS } from './versions.ts';

/** A JSON schema (draft 07) as far as the OCPP schema files use it. */
export interface JsonSchema {
  readonly $id?: string;
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly definitions?: Readonly<Record<string, JsonSchema>>;
}

/** One message of a version: its action, its place and its schema. */
export interface MessageSchema {
  readonly action: string;
  readonly part: Part;
  readonly schema: JsonSchema;
}

/**
 * Path of the schema file of a version: beside this file where v2gate is packed, else inside the package `ocpp-rpc`,
 * which is used for nothing else.
 */
export function schemaPath(version: Version): string {
  const { schemaFile } = VERSIONS[version];
  const packed = join(import.meta.dirname, 'schemas', schemaFile);
  if (existsSync(packed)) return packed;
  const root = dirname(createRequire(import.meta.url).resolve('ocpp-rpc/package.json'));
  return join(root, 'lib', 'schemas', schemaFile);
}

/** Reads the schemas of all messages of a version, about 1 MB for 2.1: call it once per process and version. */
export function readSchemas(version: Version): MessageSchema[] {
  const list = JSON.parse(readFileSync(schemaPath(version), 'utf8')) as readonly JsonSchema[];
  const { suffix } = VERSIONS[version];
  return list.map((schema) => {
    const name = (schema.$id ?? '').replace(/^urn:/, '');
    const part: Part = name.endsWith(suffix.request) ? 'request' : name.endsWith(suffix.response) ? 'response' : 'send';
    return { action: name.slice(0, name.length - suffix[part].length), part, schema };
  });
}
