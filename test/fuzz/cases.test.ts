import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import { codeOf } from '../../core/errors.ts';
import { silentLog } from '../../core/log.ts';
import { compile } from '../../core/mapping/index.ts';
import { checkFlowFile } from '../../gateway/flow-file.ts';
import { SiteRegistry } from '../../hub/site/registry.ts';
import { bootStation, greetOperator, type OcppVersion } from '../hostile/peers.ts';
import { useWorld } from '../hostile/world.ts';

const FOLDER = join(import.meta.dirname, 'cases');
const STATIONS: Readonly<Record<OcppVersion, string>> = {
  'ocpp1.6': 'DEMO-AC-4',
  'ocpp2.0.1': 'DEMO-AC-3',
  'ocpp2.1': 'DEMO-V2G-2',
};
const world = useWorld();
const folder = await mkdtemp(join(tmpdir(), 'v2gate-cases-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

/** How a case is played; resolves once everything that it may do has happened. */
const PLAY: Readonly<Record<string, (text: string) => Promise<void>>> = {
  'ocpp1.6': (text) => fromStation('ocpp1.6', text),
  'ocpp2.0.1': (text) => fromStation('ocpp2.0.1', text),
  'ocpp2.1': (text) => fromStation('ocpp2.1', text),
  async fo(text) {
    const operator = await greetOperator(world().fo, 'fo:rival', world().clock.now);
    operator.send(text.replaceAll('{{from}}', 'fo:rival').replaceAll('{{now}}', iso(world().clock.now())));
    await operator.read();
    operator.drop();
  },
  async site(text) {
    const { clock, metrics, store } = world().gw.gateway.runtime;
    const files = { read: async () => text, watch: () => () => undefined };
    const sites = new SiteRegistry({ clock, log: silentLog, metrics, store, files });
    expect(codeOf(await sites.open({ file: 'case.json' }).catch((e: unknown) => e))).toBe('site.invalid');
  },
  async flows(text) {
    const file = join(folder, 'flows.json');
    await writeFile(file, text);
    expect(codeOf(await checkFlowFile(file))).toBe('flows.broken');
  },
  async mapping(text) {
    const { mapping } = compile(text, {});
    expect(() => mapping?.run({ text: `${'a'.repeat(60)}b` }, {})).toThrow();
  },
};

async function fromStation(version: OcppVersion, text: string): Promise<void> {
  const station = await bootStation(world().ocpp, STATIONS[version], version);
  station.send(text);
  await station.read();
  station.drop();
}

interface Case {
  readonly target: string;
  readonly why: string;
  readonly text: string;
}

const names = (await readdir(FOLDER)).filter((n) => n.endsWith('.json')).sort();
const read = async (name: string): Promise<Case> => JSON.parse(await readFile(join(FOLDER, name), 'utf8')) as Case;

describe('an input that once did harm, or nearly', () => {
  it.each(names)('does none any more: %s', async (name) => {
    const { target, why, text } = await read(name);
    expect(why).toMatch(/\w/);
    const play = PLAY[target];
    if (!play) throw new Error(`${name}: nobody plays the target ${target}.`);
    const from = world().gw.log.length;
    await play(text);
    await world().unharmed();
    expect(
      world()
        .gw.log.slice(from)
        .filter((l) => /TypeError|RangeError|handlerFailed|internal\.permanent/.test(l)),
    ).toEqual([]);
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });
});
