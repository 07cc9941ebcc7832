import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ForeignStation } from './foreign.ts';
import { ROOT } from './gateway.ts';

const FOLDER = join(import.meta.dirname, '../go');
/** Debian puts it on the path; the archive of the Go project goes here. */
const PLACES = ['go', '/usr/local/go/bin/go', '/usr/lib/go/bin/go'];

/** The program of the folder `go`, built once and kept in `.data/go` by the hash of its sources. */
export function goStationProgram(): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(FOLDER).sort()) hash.update(name).update(readFileSync(join(FOLDER, name)));
  const folder = join(ROOT, '.data', 'go');
  const program = join(folder, `foreign-${hash.digest('hex').slice(0, 12)}`);
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  const go = PLACES.find((place) => spawnSync(place, ['version']).status === 0);
  if (go === undefined) throw new Error('Go is not installed (Debian: apt install golang-go)');
  const args = ['build', '-trimpath', '-buildvcs=false', '-o', program, '.'];
  const { status, error, stdout, stderr } = spawnSync(go, args, { cwd: FOLDER, encoding: 'utf8', timeout: 300_000 });
  if (status === 0) return program;
  const why = error?.message ?? `${stdout}\n${stderr}`;
  throw new Error(`Could not build the Go station (is the Go module proxy reachable?): ${why}`);
}

export interface GoStationOptions {
  readonly version: 'ocpp1.6' | 'ocpp2.0.1';
  /** `ws://host:port/ocpp`, without the identity. */
  readonly url: string;
  readonly identity: string;
  readonly meterS: number;
}

/** An AC station on the Go module ocpp-go. */
export function goStation(program: string, { version, url, identity, meterS }: GoStationOptions): ForeignStation {
  const args = ['-version', version, '-url', url, '-identity', identity, '-meter-s', `${meterS}`];
  return new ForeignStation({ name: `station ${identity}`, command: program, args });
}
