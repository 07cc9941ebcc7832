import { describe, expect, it } from 'vitest';
import { tilesOf } from '../../gateway/console/views/tiles.js';
import { FleetSnapshot } from '../../model/index.ts';
import { entry } from './site.ts';

const NOW = Date.parse(FleetSnapshot.example.at);
const plain = (text: string | undefined): string => (text ?? '').replaceAll('\u202f', ' ');

function tiles(change: Partial<FleetSnapshot>) {
  const [requested, granted, measured, limit] = tilesOf({ ...FleetSnapshot.example, ...change }, NOW);
  return { requested, granted, measured, limit };
}

const service: FleetSnapshot['services'][number] = {
  fsrId: 'fsr-1',
  foId: 'fo:north',
  serviceType: 'setpoint',
  state: 'active',
  start: '2026-03-02T17:08:00Z',
  end: '2026-03-02T17:12:00Z',
};

describe('the tiles', () => {
  it('say who asks and for how long', () => {
    const { requested } = tiles({ requestedW: -5000, services: [service] });
    expect(plain(requested?.value)).toBe('−5.00 kW');
    expect(plain(requested?.note)).toBe('export · by fo:north, 2 min left');
    expect(tiles({}).requested).toMatchObject({ value: '–', note: 'no service is active' });
    const next = { ...service, state: 'scheduled', start: '2026-03-02T17:10:30Z' };
    expect(plain(tiles({ services: [next] }).requested?.note)).toBe('next service in 30 s');
    expect(tiles({ requestedW: 0, services: [service, service] }).requested?.note).toBe('by 2 services');
  });

  it('say why something else is granted than requested: a limit, or some who do not obey', () => {
    const held = [{ ...service, limitedBy: 'poc' as const }];
    expect(plain(tiles({ services: held }).granted?.note)).toMatch(/· limited by the connection point$/);
    expect(plain(tiles({}).granted?.note)).toContain('commanded');
    const resources = [entry(), entry({ resourceId: 'b', grantedW: -5500, outcomeCode: 'resource.excluded' })];
    expect(plain(tiles({ resources }).granted?.note)).toContain('−5.50 kW of it by 1 that does not obey');
  });

  it('show when a measured power cannot be trusted, and how many stations that is about', () => {
    const resources = [entry(), entry({ resourceId: 'b', quality: 'missing' })];
    const { measured } = tiles({ quality: 'missing', resources });
    expect(measured).toMatchObject({ note: 'quality missing: 1 of 2 without a fresh value', tone: 'bad' });
    expect(tiles({ measuredW: 5200 }).measured?.tone).toBeUndefined();
  });

  it('show the limit of the direction in which power flows, what is left of it and who set it', () => {
    expect(plain(tiles({}).limit?.note)).toBe('import, 45.0 kW left · export 30.0 kW');
    const limits = [{ nodeId: 'poc', importLimitW: 50_000, exportLimitW: 4000, measuredW: -5000, source: 'operator' }];
    const exporting = tiles({ limits }).limit;
    expect(plain(exporting?.value)).toBe('4.00 kW');
    expect(plain(exporting?.note)).toBe('export, exceeded by 1.00 kW · import 50.0 kW · set by operator');
    expect(exporting?.tone).toBe('bad');
  });
});
