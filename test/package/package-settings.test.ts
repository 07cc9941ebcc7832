import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageSettings } from '../../gateway/package/settings.ts';
import { loadAedes } from '../../protocols/fo/mqtt/aedes.ts';
import { packageManifest } from '../../tools/pack/manifest.ts';

const userDir = '/srv/red';
const read = (given?: unknown, env: Record<string, string> = {}) => packageSettings({ userDir, env, given });

describe('the settings of a gateway in somebody’s Node-RED', () => {
  it('keep everything in the folder v2gate of the user directory, and simulate nothing', () => {
    expect(read()).toMatchObject({
      dataDir: join(userDir, 'v2gate'),
      siteFile: join(userDir, 'v2gate', 'site.json'),
      secretsFile: join(userDir, 'v2gate', 'secrets.json'),
      demo: false,
      portSearch: false,
      host: '127.0.0.1',
      unknown: [],
    });
  });

  it('come from settings.js by the names of the table, and from the environment above it', () => {
    expect(read({ ocppPort: 9999, siteFile: '/etc/site.json' }, { V2GATE_OCPP_PORT: '8888' })).toMatchObject({
      ocppPort: 8888,
      siteFile: '/etc/site.json',
    });
  });

  it.each([
    [{ ocppport: 1 }, 'v2gate.ocppport'],
    [{ httpPort: 1 }, 'v2gate.httpPort'],
    [{ dataDir: '/tmp' }, 'v2gate.dataDir'],
    [{ ocppPort: { a: 1 } }, 'v2gate.ocppPort'],
    [[], 'v2gate'],
    [{ ocppPort: 'many' }, 'V2GATE_OCPP_PORT'],
  ])('%j is refused by its name', (given, name) => {
    expect(() => read(given)).toThrow(
      expect.objectContaining({ code: 'settings.invalid', message: expect.stringContaining(name) }),
    );
  });

  it('let stations of the network in only with TLS, as everywhere', () => {
    expect(() => read({ host: '0.0.0.0' })).toThrow(expect.objectContaining({ code: 'listen.insecure' }));
    expect(read({ host: '0.0.0.0', tlsCert: '/c.pem', tlsKey: '/k.pem' })).toMatchObject({
      tlsOcpp: true,
      tlsFo: true,
    });
  });
});

describe('the manifest of the package', () => {
  const repository = {
    version: '1.2.3',
    description: 'd',
    license: 'Apache-2.0',
    dependencies: Object.fromEntries(
      ['ajv', 'jsonata', 'mqtt', 'typebox', 'uplot', 'ws', 'aedes', 'selfsigned', 'node-red', 'express'].map((n) => [
        n,
        '1.0.0',
      ]),
    ),
  };

  it('takes the versions of the repository, and needs neither Node-RED nor Express', () => {
    expect(packageManifest(repository)).toMatchObject({
      version: '1.2.3',
      dependencies: { ajv: '1.0.0', jsonata: '1.0.0', mqtt: '1.0.0', typebox: '1.0.0', uplot: '1.0.0', ws: '1.0.0' },
      peerDependenciesMeta: { aedes: { optional: true }, selfsigned: { optional: true } },
    });
  });

  it('cannot be made when a package it needs is gone', () => {
    expect(() => packageManifest({ ...repository, dependencies: {} })).toThrow(/ajv/);
  });
});

describe('what the package leaves out', () => {
  it('is an own MQTT broker: the link says what to do instead', async () => {
    await expect(loadAedes(() => Promise.reject(new Error('ERR_MODULE_NOT_FOUND')))).rejects.toMatchObject({
      code: 'fo.noBroker',
      cause: { remedy: expect.stringContaining('npm install aedes') },
    });
    expect((await loadAedes()).Aedes).toBeDefined();
  });
});
