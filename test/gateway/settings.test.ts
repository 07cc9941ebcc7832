import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeError } from '../../core/errors.ts';
import {
  INSECURE_WORDS,
  isLoopback,
  publicSettings,
  readSettings,
  SETTINGS,
  settingsMarkdown,
} from '../../gateway/settings.ts';

const places = { demoSiteFile: '/demo/site.json' };
const read = (env: Record<string, string> = {}) => readSettings(env, places);
const refused = (env: Record<string, string>) => {
  try {
    read(env);
  } catch (e) {
    return describeError(e);
  }
  throw new Error('nothing was refused');
};

describe('settings', () => {
  it('an empty environment is the demo on loopback', () => {
    expect(read()).toMatchObject({
      demo: true,
      portSearch: true,
      siteFile: '/demo/site.json',
      host: '127.0.0.1',
      httpPort: 1880,
      ocppPort: 9220,
      foPort: 9221,
      mqttPort: 9223,
      clock: 'real',
      dataDir: resolve('.data'),
      secretsFile: join(resolve('.data'), 'secrets.json'),
    });
  });

  it('a site file ends the demo and the search for free ports', () => {
    expect(read({ V2GATE_SITE: 'my.json' })).toMatchObject({
      demo: false,
      portSearch: false,
      siteFile: resolve('my.json'),
    });
    expect(read({ V2GATE_SITE: 'my.json', V2GATE_DEMO: 'on' })).toMatchObject({ demo: true, portSearch: true });
  });

  it('an empty variable counts as not set', () => {
    expect(read({ V2GATE_HTTP_PORT: '', V2GATE_SITE: '  ' })).toMatchObject({ httpPort: 1880, demo: true });
  });

  it('every bad value is named at once, with what is allowed', () => {
    const error = refused({ V2GATE_HTTP_PORT: '70000', V2GATE_CLOCK: 'sundial', V2GATE_DEMO: 'perhaps' });
    expect(error.code).toBe('settings.invalid');
    expect(error.what).toContain(
      'V2GATE_HTTP_PORT must be a port from 1 to 65535, or 0 for any free one; “70000” is not.',
    );
    expect(error.what).toContain('V2GATE_CLOCK must be `real` or `manual`');
    expect(error.remedy).toBe('Correct V2GATE_DEMO, V2GATE_HTTP_PORT, V2GATE_CLOCK and start again.');
  });

  it('a bad secret is not repeated', () => {
    const error = refused({ V2GATE_CREDENTIAL_SECRET: 'hunter2' });
    expect(error.what).toContain('V2GATE_CREDENTIAL_SECRET');
    expect(error.what).not.toContain('hunter2');
  });

  it('an address that the network reaches needs the words that give protection up', () => {
    expect(refused({ V2GATE_HOST: '0.0.0.0' })).toMatchObject({
      code: 'listen.insecure',
      remedy: expect.stringContaining(INSECURE_WORDS),
    });
    expect(refused({ V2GATE_HOST: '0.0.0.0', V2GATE_INSECURE: 'yes' }).code).toBe('settings.invalid');
    expect(read({ V2GATE_HOST: '0.0.0.0', V2GATE_INSECURE: INSECURE_WORDS }).host).toBe('0.0.0.0');
  });

  it('TLS on every interface and a password make other addresses possible', () => {
    const files = { V2GATE_HOST: '0.0.0.0', V2GATE_TLS_CERT: 'c.pem', V2GATE_TLS_KEY: 'k.pem' };
    const password = { V2GATE_HTTP_PASSWORD: 'long enough, this' };
    expect(read({ ...files, ...password })).toMatchObject({ tls: 'files', tlsOcpp: true, tlsFo: true, tlsHttp: true });
    expect(refused(files)).toMatchObject({
      code: 'listen.insecure',
      remedy: expect.stringContaining('V2GATE_HTTP_PASSWORD'),
    });
    const asked: string[] = [];
    const hasUsers = (dataDir: string) => asked.push(dataDir) > 0;
    expect(readSettings({ ...files, V2GATE_DATA: '/data' }, { demoSiteFile: 'x', hasUsers }).host).toBe('0.0.0.0');
    expect(asked).toEqual(['/data']);
    expect(refused({ ...files, ...password, V2GATE_TLS_OCPP: 'off' }).what).toContain(
      'without encryption, for stations.',
    );
    expect(refused({ V2GATE_HOST: '0.0.0.0', ...password }).code).toBe('listen.insecure');
  });

  it('TLS needs certificate and key, and is off without', () => {
    expect(read()).toMatchObject({ tls: 'off', tlsOcpp: false, tlsMin: '1.3' });
    expect(read({ V2GATE_TLS: 'dev', V2GATE_TLS_OCPP: 'off' })).toMatchObject({
      tls: 'dev',
      tlsOcpp: false,
      tlsFo: true,
    });
    expect(refused({ V2GATE_TLS: 'files' }).what).toContain('V2GATE_TLS_CERT');
    expect(refused({ V2GATE_TLS_CERT: 'c.pem' }).what).toContain('V2GATE_TLS_KEY');
    expect(refused({ V2GATE_TLS_FO: 'on' }).what).toContain('V2GATE_TLS_FO');
    expect(read({ V2GATE_TLS: 'off', V2GATE_TLS_CERT: 'c.pem' }).tls).toBe('off');
  });

  it('misspelled variables are found, secrets of the site file are not taken for them', () => {
    expect(read({ V2GATE_HTPP_PORT: '1', V2GATE_SECRET_FO_NORTH: 'x', PATH: '/bin' }).unknown).toEqual([
      'V2GATE_HTPP_PORT',
    ]);
  });

  it('secrets are not shown', () => {
    const shown = publicSettings(read({ V2GATE_CREDENTIAL_SECRET: 'a secret of sixteen' }));
    expect(JSON.stringify(shown)).not.toContain('sixteen');
    expect(shown).toMatchObject({ httpPort: 1880, demo: true });
  });

  it('every setting has its row in the documentation', () => {
    const rows = settingsMarkdown().split('\n');
    for (const { variable, meaning } of Object.values(SETTINGS)) {
      expect(rows.some((r) => r.includes(`\`${variable}\``) && r.includes(meaning))).toBe(true);
    }
  });

  it('no text makes a port outside its range', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.integer().map(String), fc.double().map(String)), (text) => {
        try {
          const { httpPort } = read({ V2GATE_HTTP_PORT: text });
          expect(Number.isInteger(httpPort) && httpPort >= 0 && httpPort <= 65_535).toBe(true);
        } catch (e) {
          expect(describeError(e).code).toBe('settings.invalid');
        }
      }),
    );
  });

  it('loopback is recognised in every spelling', () => {
    for (const yes of ['127.0.0.1', '127.8.9.1', 'localhost', 'LOCALHOST', '::1', '[::1]', '::ffff:127.0.0.1'])
      expect(isLoopback(yes)).toBe(true);
    for (const no of ['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.evil.example', 'localhost.evil.example', ''])
      expect(isLoopback(no)).toBe(false);
  });
});
