import type { ErrorObject, ValidateFunction } from 'ajv';
import { Ajv } from 'ajv';
import type { RpcCode } from './errors.ts';
import type { JsonSchema } from './schemas.ts';
import { readSchemas } from './schemas.ts';
import { dropBlankSamples, isOcppTime, repair } from './tolerance.ts';
import type { Part, Version } from './versions.ts';
import { VERSIONS } from './versions.ts';

/** Which end of a connection this is. */
export type Role = 'csms' | 'cs';

/** Why a payload does not fit: the CALLERROR code in the spelling of 2.x, the field, and a sentence without its value. */
export interface Violation {
  readonly code: RpcCode;
  /** JSON pointer, `''` for the whole payload. */
  readonly path: string;
  readonly message: string;
}

/** One action of a version. Compiles its schemas on first use. */
export interface ActionInfo {
  readonly name: string;
  /** Whether a message of this kind exists: `request` of a CALL, or `send` of a SEND. */
  has(part: Part): boolean;
  /** Whether this end may start it. */
  startedBy(role: Role): boolean;
  /** Strict: for what we send ourselves. */
  check(part: Part, payload: unknown): Violation | undefined;
  /** Tolerant (ocpp 8): for what was received; may repair the payload in place. */
  accept(part: Part, payload: unknown): Violation | undefined;
}

/** The validators of one version. Make one per process and share it: 2.1 takes 1 s and 60 MB if everything is compiled. */
export interface Validators {
  readonly version: Version;
  action(name: string): ActionInfo | undefined;
  /** All actions, sorted. */
  readonly names: readonly string[];
  /** Compiles the schemas of these actions now instead of on first use; unknown names are ignored. */
  warm(actions: readonly string[]): void;
}

export function createValidators(version: Version): Validators {
  const compile = compiler();
  const actions = new Map<string, LazyAction>(); // bounded by: the messages of the schema file
  for (const { action, part, schema } of readSchemas(version)) {
    const entry = actions.get(action) ?? new LazyAction(version, action, compile);
    entry.add(part, schema);
    actions.set(action, entry);
  }
  return {
    version,
    action: (name) => actions.get(name),
    names: [...actions.keys()].sort(),
    warm(names) {
      for (const name of names) actions.get(name)?.warm();
    },
  };
}

type Compile = (schema: JsonSchema) => ValidateFunction;

/** One Ajv per version, because 1.6 and 2.0.1 share their `$id`s; the ids are dropped anyway, being no valid URNs. */
function compiler(): Compile {
  const ajv = new Ajv({
    strict: false,
    // JSON.parse reads 1e999 as Infinity.
    strictNumbers: true,
    logger: false,
    validateSchema: false,
    addUsedSchema: false,
    // 1.6 limits are multiples of 0.1, which 7.3 misses in binary (ocpp 8).
    multipleOfPrecision: 6,
  });
  ajv.addFormat('date-time', isOcppTime);
  ajv.addFormat('uri', /^[a-z][a-z0-9+.-]*:\S*$/i);
  return ({ $id: _, ...schema }) => ajv.compile(schema);
}

class LazyAction implements ActionInfo {
  readonly name: string;
  readonly #version: Version;
  readonly #compile: Compile;
  readonly #byStation: boolean;
  readonly #byCsms: boolean;
  readonly #schemas: Partial<Record<Part, JsonSchema>> = {};
  #request: ValidateFunction | undefined;
  #response: ValidateFunction | undefined;
  #send: ValidateFunction | undefined;

  constructor(version: Version, name: string, compile: Compile) {
    const { fromStation, bothWays } = VERSIONS[version];
    this.name = name;
    this.#version = version;
    this.#compile = compile;
    this.#byStation = fromStation.includes(name) || bothWays.includes(name);
    this.#byCsms = !fromStation.includes(name);
  }

  add(part: Part, schema: JsonSchema): void {
    this.#schemas[part] = schema;
  }

  warm(): void {
    for (const part of ['request', 'response', 'send'] as const) if (this.has(part)) this.#validator(part);
  }

  has(part: Part): boolean {
    return this.#schemas[part] !== undefined;
  }

  startedBy(role: Role): boolean {
    return role === 'cs' ? this.#byStation : this.#byCsms;
  }

  check(part: Part, payload: unknown): Violation | undefined {
    const validate = this.#validator(part);
    return validate(payload) ? undefined : violation(validate.errors?.[0]);
  }

  accept(part: Part, payload: unknown): Violation | undefined {
    if (part === 'request' && this.#version === 'ocpp1.6') dropBlankSamples(this.name, payload);
    const first = this.check(part, payload);
    if (first === undefined || !repair(this.#version, this.name, payload)) return first;
    return this.check(part, payload);
  }

  #validator(part: Part): ValidateFunction {
    switch (part) {
      case 'request':
        this.#request ??= this.#make(part);
        return this.#request;
      case 'response':
        this.#response ??= this.#make(part);
        return this.#response;
      case 'send':
        this.#send ??= this.#make(part);
        return this.#send;
    }
  }

  /** A part that does not exist accepts only nothing. */
  #make(part: Part): ValidateFunction {
    return this.#compile(this.#schemas[part] ?? { type: 'object', additionalProperties: false });
  }
}

/** Per keyword of JSON schema: the code of ocpp 1.4; whatever else the schemas use is a wrong value. */
const CODE_OF: Readonly<Record<string, RpcCode>> = {
  required: 'OccurrenceConstraintViolation',
  additionalProperties: 'OccurrenceConstraintViolation',
  minItems: 'OccurrenceConstraintViolation',
  maxItems: 'OccurrenceConstraintViolation',
  additionalItems: 'OccurrenceConstraintViolation',
  type: 'TypeConstraintViolation',
};

function violation(e: ErrorObject | undefined): Violation {
  if (e === undefined) return { code: 'ProtocolError', path: '', message: 'The payload does not fit the message.' };
  const name = member(e);
  const path =
    name === undefined ? e.instancePath : `${e.instancePath}/${name.replace(/~/g, '~0').replace(/\//g, '~1')}`;
  return {
    code: CODE_OF[e.keyword] ?? 'PropertyConstraintViolation',
    path,
    message: `${path === '' ? 'The payload' : path.slice(0, 160)} ${sentence(e)}.`,
  };
}

/** The member that is missing or surplus. */
function member(e: ErrorObject): string | undefined {
  const params: Readonly<Record<string, unknown>> = e.params;
  const name = params.missingProperty ?? params.additionalProperty;
  return typeof name === 'string' ? name.slice(0, 60) : undefined;
}

function sentence(e: ErrorObject): string {
  switch (e.keyword) {
    case 'required':
      return 'is missing';
    case 'additionalProperties':
      return 'is not a field of this message';
    case 'enum':
      return 'is not one of the allowed values';
    default:
      return e.message ?? 'is not allowed';
  }
}
