import { TIME_ERRORS } from './clock.ts';
import { type ErrorTable, INTERNAL_ERRORS } from './errors.ts';
import { JSON_ERRORS } from './json.ts';
import { LEASE_ERRORS } from './lease.ts';
import { LISTEN_ERRORS } from './listen.ts';
import { QUANTITY_ERRORS } from './quantities.ts';
import { SCHEMA_ERRORS } from './schema.ts';
import { SIGNING_ERRORS } from './signing.ts';
import { TLS_ERRORS } from './tls.ts';

/** The error tables of the kits, for the generated error reference. */
export const CORE_ERROR_TABLES: readonly ErrorTable<string>[] = [
  INTERNAL_ERRORS,
  TIME_ERRORS,
  QUANTITY_ERRORS,
  JSON_ERRORS,
  SCHEMA_ERRORS,
  LEASE_ERRORS,
  LISTEN_ERRORS,
  TLS_ERRORS,
  SIGNING_ERRORS,
];
