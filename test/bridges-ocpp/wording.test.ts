import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Channel, Form, Shape } from '../../bridges/ocpp/channel.ts';
import { addressee, effectiveRange } from '../../bridges/ocpp/effective.ts';
import { defaultForms, SHAPES, shapesFor } from '../../bridges/ocpp/ladder.ts';
import { type Addressee, clip, form, word } from '../../bridges/ocpp/wording.ts';
import { iso } from '../../core/clock.ts';
import { codeOf } from '../../core/errors.ts';
import { silentLog } from '../../core/log.ts';
import { createMappingLibrary } from '../../core/mapping/library.ts';
import { amps, volts, watts, wattsToAmpsPerPhase } from '../../core/quantities.ts';
import { resourceOf } from '../../hub/fleet/resources.ts';
import type { EvseRecord, PowerCommand } from '../../model/index.ts';
import { fault, openLibrary } from '../mappings/corpus.ts';
import { siteFile } from '../support/site-file.ts';

const NOW = Date.UTC(2026, 0, 1);
const library = openLibrary();
const versions = ['ocpp1.6', 'ocpp2.0.1', 'ocpp2.1'] as const;

function channelOf(record: Partial<EvseRecord> = {}, more: Partial<Channel> = {}): Channel {
  const evse = { evse: 1, current: 'ac', phases: 3, maxImportW: 11_040, ...record } as const;
  const resource = resourceOf({ identity: 'CS', evses: [evse] }, evse, siteFile());
  return { resource, steps: [], transactionId: 17, ...more };
}

const to = (version: (typeof versions)[number], single = true): Addressee => ({ version, identity: 'CS', single });
const command = (x: Partial<PowerCommand>): PowerCommand => ({
  commandId: 'c',
  resourceId: 'CS.1',
  kind: 'setpoint',
  validUntil: '2026-01-01T00:02:00Z',
  level: 6,
  ...x,
});
const rangeOf = (channel: Channel, action: string, payload: unknown) =>
  effectiveRange(action, payload, {
    current: channel.resource.current,
    voltageV: Math.max(channel.resource.voltageV, channel.voltageV ?? 0),
    phases: channel.resource.phases,
  });

const anyChannel = fc
  .record({
    current: fc.constantFrom('ac' as const, 'dc' as const),
    phases: fc.constantFrom(1, 2, 3),
    maxImportW: fc.double({ min: 0, max: 400_000, noNaN: true }),
    maxExportW: fc.double({ min: 0, max: 400_000, noNaN: true }),
    voltageV: fc.option(fc.double({ min: 200, max: 275, noNaN: true }), { nil: undefined }),
    envelope: fc.option(
      fc.record({
        importLimitW: fc.double({ min: 0, max: 50_000, noNaN: true }),
        exportLimitW: fc.double({ min: 0, max: 50_000, noNaN: true }),
      }),
      { nil: undefined },
    ),
    running: fc.boolean(),
  })
  .map(({ current, phases, maxImportW, maxExportW, voltageV, envelope, running }) => {
    const { transactionId: _, ...channel } = channelOf({ current, phases, maxImportW, maxExportW });
    return {
      ...channel,
      ...(voltageV === undefined ? {} : { voltageV }),
      ...(envelope === undefined ? {} : { envelope }),
      ...(running ? { transactionId: 17 } : {}),
    } satisfies Channel;
  });

/** Ids of transactions are texts in 2.x. */
const inVersion = (channel: Channel, version: (typeof versions)[number]): Channel =>
  version !== 'ocpp1.6' && channel.transactionId !== undefined ? { ...channel, transactionId: 'tx-17' } : channel;

const power = fc.double({ min: -500_000, max: 500_000, noNaN: true });
const anyCommand = fc.oneof(
  fc.record({ kind: fc.constant('setpoint' as const), powerW: power, reactiveVar: power }),
  fc.record({ kind: fc.constant('onOff' as const), powerW: power }),
  fc.record(
    { kind: fc.constant('limit' as const), importLimitW: power.map(Math.abs), exportLimitW: power.map(Math.abs) },
    { requiredKeys: ['kind', 'exportLimitW'] },
  ),
);

describe('a command in words', () => {
  it('never lets a station do more than the clipped command, and fits the schema', () => {
    const seen = new Set<Shape>();
    const property = fc.property(anyChannel, anyCommand, fc.constantFrom(...versions), (made, what, version) => {
      const c = command(what);
      const channel = inVersion(made, version);
      const appliedW = clip(channel, c);
      const limits = channel.envelope ?? { importLimitW: Number.POSITIVE_INFINITY, exportLimitW: 0 };
      expect(appliedW).toBeLessThanOrEqual(Math.min(limits.importLimitW, channel.resource.maxImportW));
      expect(appliedW).toBeGreaterThanOrEqual(-Math.min(limits.exportLimitW, channel.resource.maxExportW));
      for (const shape of shapesFor(version, channel, c)) {
        seen.add(shape);
        if (shape === 'onOff') continue;
        const { action, payload } = word(library, to(version), channel, c, { appliedW, form: shape, now: NOW });
        const range = rangeOf(channel, action, payload);
        expect(range?.maxW).toBeLessThanOrEqual(Math.max(0, appliedW) + 1e-3);
        expect(range?.minW).toBeGreaterThanOrEqual(Math.min(0, appliedW) - 1e-3);
        expect(fault(`${version}/${action}Request`, payload)).toBeUndefined();
      }
    });
    fc.assert(property, { numRuns: 400 });
    expect([...seen].sort()).toEqual(['dynamic', 'limitA', 'limitW', 'setpoint']);
  });

  it('a default profile never allows more than its share', () => {
    const property = fc.property(
      anyChannel,
      power.map(Math.abs),
      fc.constantFrom(...versions),
      (channel, shareW, version) => {
        for (const f of defaultForms(version, channel)) {
          const c = command({ kind: 'limit', importLimitW: shareW });
          const { action, payload } = word(library, to(version), channel, c, { appliedW: shareW, form: f, now: NOW });
          const range = rangeOf(channel, action, payload);
          expect(range?.maxW).toBeLessThanOrEqual(shareW + 1e-3);
          expect(range?.minW).toBe(0);
          expect(fault(`${version}/${action}Request`, payload)).toBeUndefined();
        }
      },
    );
    fc.assert(property, { numRuns: 200 });
  });

  it('signed setpoints of 2.1 come back as the same number', () => {
    const channel = channelOf({ current: 'dc', maxImportW: 1e6, maxExportW: 1e6 });
    const property = fc.property(power, fc.constantFrom<Form>('dynamic', 'setpoint', 'update'), (appliedW, f) => {
      const { action, payload } = word(library, to('ocpp2.1'), channel, command({ powerW: appliedW }), {
        appliedW,
        form: f,
        now: NOW,
      });
      expect(rangeOf(channel, action, payload)).toEqual({ minW: appliedW, maxW: appliedW });
    });
    fc.assert(property, { numRuns: 100 });
  });

  it('amperes are those of fo 8.3.7, or none below 6 A', () => {
    const property = fc.property(
      fc.integer({ min: 0, max: 22_000 }),
      fc.integer({ min: 2300, max: 2600 }).map((v) => v / 10),
      fc.constantFrom(1, 2, 3),
      (appliedW, voltageV, phases) => {
        const channel = channelOf({ phases, maxImportW: 22_000 }, { voltageV });
        const c = command({ kind: 'limit', importLimitW: appliedW });
        const { payload } = word(library, to('ocpp1.6'), channel, c, { appliedW, form: 'limitA', now: NOW });
        const limit = Reflect.get(
          (payload as { csChargingProfiles: { chargingSchedule: { chargingSchedulePeriod: object[] } } })
            .csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0] ?? {},
          'limit',
        );
        const expected = wattsToAmpsPerPhase(watts(appliedW), volts(voltageV), phases);
        expect(limit).toBe(expected < 6 ? amps(0) : expected);
      },
    );
    fc.assert(property, { numRuns: 300 });
  });

  it('10 kW discharge is a signed setpoint in 2.1 and nothing in 1.6 and 2.0.1', () => {
    const v2g = channelOf(
      { current: 'dc', maxImportW: 11_000, maxExportW: 11_000 },
      { envelope: { importLimitW: 11_000, exportLimitW: 11_000 } },
    );
    const discharge = command({ powerW: -10_000 });
    expect(clip(v2g, discharge)).toBe(-10_000);
    expect(shapesFor('ocpp2.1', v2g, discharge)).toEqual(['dynamic', 'setpoint']);
    expect(shapesFor('ocpp1.6', v2g, discharge)).toEqual([]);
    expect(shapesFor('ocpp2.0.1', v2g, discharge)).toEqual([]);
    for (const version of ['ocpp1.6', 'ocpp2.0.1'] as const) {
      const channel = inVersion(v2g, version);
      for (const f of SHAPES[version]) {
        if (f === 'onOff') continue;
        const worded = () => word(library, to(version), channel, discharge, { appliedW: -10_000, form: f, now: NOW });
        expect(worded).toThrow(/discharging/);
      }
    }
    const unknown = () => word(library, to('ocpp1.6'), v2g, discharge, { appliedW: 0, form: 'dynamic', now: NOW });
    expect(codeFrom(unknown)).toBe('capability.unsupported');
  });

  it('without an envelope nothing is exported', () => {
    const v2g = channelOf({ current: 'dc', maxImportW: 11_000, maxExportW: 11_000 });
    expect(clip(v2g, command({ powerW: -10_000 }))).toBe(0);
  });

  it('a limit that names no import limits none', () => {
    const channel = channelOf({}, { envelope: { importLimitW: 7000, exportLimitW: 0 } });
    expect(clip(channel, command({ kind: 'limit', exportLimitW: 0 }))).toBe(7000);
  });

  it('a voltage that cannot be one does not turn amperes into nothing', () => {
    const c = command({ kind: 'limit', importLimitW: 6900 });
    const channel = channelOf({}, { voltageV: 4000 });
    const { action, payload } = word(library, to('ocpp1.6'), channel, c, { appliedW: 6900, form: 'limitA', now: NOW });
    expect(effectiveRange(action, payload, { current: 'ac', voltageV: 230, phases: 3 })?.maxW).toBeCloseTo(6900);
  });
});

describe('a dynamic profile', () => {
  const inPlace = (durationS: number, transactionId = 17) => channelOf({}, { dynamic: { transactionId, durationS } });

  it('takes new values while its duration fits', () => {
    expect(form(inPlace(120), 'dynamic', 120)).toBe('update');
    expect(form(inPlace(120), 'dynamic', 118)).toBe('update');
    expect(form(inPlace(120), 'dynamic', 140)).toBe('update');
  });

  it('is installed anew when the wanted time differs much, or for another transaction', () => {
    expect(form(inPlace(120), 'dynamic', 30)).toBe('dynamic');
    expect(form(inPlace(120), 'dynamic', 600)).toBe('dynamic');
    expect(form(inPlace(120, 16), 'dynamic', 120)).toBe('dynamic');
    expect(form(channelOf(), 'dynamic', 120)).toBe('dynamic');
  });
});

describe('a mapping of an integrator', () => {
  const path = 'ocpp1.6/from-hub/PowerCommand.limitA@acme.jsonata';
  const ours = `"chargingProfileId": $ctx.ids.chargingProfileId, "chargingProfileKind": 'Absolute',`;
  const lasts = '"duration": $ctx.settings.durationS, "startSchedule": $ctx.at,';
  const override = (connectorId: string, limit: string, purpose = 'TxProfile', profile = ours, schedule = lasts) =>
    createMappingLibrary({
      roots: ['m'],
      log: silentLog,
      files: {
        list: () => [path],
        read: () => `/* from: hub/PowerCommand to: ocpp1.6/SetChargingProfileRequest variant: limitA */
          { "connectorId": ${connectorId}, "csChargingProfiles": { ${profile} "chargingProfilePurpose": '${purpose}',
            "chargingSchedule": { ${schedule} "chargingRateUnit": 'W', "chargingSchedulePeriod": [{ "limit": ${limit} }] } } }`,
      },
    });
  const run = (lib: ReturnType<typeof override>, single = true) =>
    word(
      lib,
      { ...to('ocpp1.6', single), vendor: 'Acme' },
      channelOf(),
      command({ kind: 'limit', importLimitW: 5000 }),
      {
        appliedW: 5000,
        form: 'limitA',
        now: NOW,
      },
    );

  it('is used when it stays within what was granted', () => {
    expect(addressee(run(override('$ctx.resource.evse', '4000')).payload)).toBe(1);
    expect(addressee(run(override('0', '4000', 'ChargePointMaxProfile')).payload)).toBe(0);
  });

  it('that widens is stopped', () => {
    expect(codeFrom(() => run(override('1', '5001')))).toBe('mapping.widens');
    expect(codeFrom(() => run(override('1', '-1')))).toBe('mapping.widens');
    expect(codeFrom(() => run(override('1', '"a"')))).toBe('mapping.widens');
  });

  it('that begins later, does not end, or takes another profile id is stopped', () => {
    const later = iso(NOW + 60_000);
    const endless = '"startSchedule": $ctx.at,';
    const lasting = (profile: string, schedule: string) => override('1', '4000', 'TxProfile', profile, schedule);
    expect(codeFrom(() => run(lasting(ours, endless)))).toBe('mapping.widens');
    expect(codeFrom(() => run(lasting(ours, `"duration": 86400, ${endless}`)))).toBe('mapping.widens');
    expect(codeFrom(() => run(lasting(ours, `"duration": 60, "startSchedule": '${later}',`)))).toBe('mapping.widens');
    expect(codeFrom(() => run(lasting(`"validFrom": '${later}', ${ours}`, lasts)))).toBe('mapping.widens');
    expect(codeFrom(() => run(lasting(ours.replace('Absolute', 'Recurring'), lasts)))).toBe('mapping.widens');
    expect(codeFrom(() => run(lasting(ours.replace(/\$ctx[.\w]+/, '7'), lasts)))).toBe('mapping.widens');
    const until = iso(NOW + 60_000);
    expect(codeFrom(() => run(lasting(`"validTo": '${until}', ${ours}`, endless)))).toBeUndefined();
    expect(codeFrom(() => run(lasting(ours.replace('Absolute', 'Relative'), '"duration": 60,')))).toBeUndefined();
  });

  const shipped = library.entries().filter((e) => e.from === 'hub/PowerCommand');

  it.each(shipped.map((e) => [e.path, e] as const))('%s: an override that widens it is stopped', (path, entry) => {
    const [version, form] = [entry.at.language as (typeof versions)[number], entry.at.variant as Form];
    const widened = entry.mapping.source.replace(/"(limit|setpoint)": [^,} ]+/, '"$1": 30000');
    expect(widened).not.toBe(entry.mapping.source);
    const worded = (source: string, kind: 'limit' | 'setpoint') => () =>
      word(
        createMappingLibrary({ roots: ['m'], log: silentLog, files: { list: () => [path], read: () => source } }),
        to(version),
        inVersion(channelOf(), version),
        command(kind === 'limit' ? { kind, importLimitW: 5000 } : { powerW: 5000 }),
        { appliedW: 5000, form, now: NOW },
      );
    const kind = /limit|default/.test(form) ? 'limit' : 'setpoint';
    expect(codeFrom(worded(entry.mapping.source, kind))).toBeUndefined();
    expect(codeFrom(worded(widened, kind))).toBe('mapping.widens');
    // Nor may it hand the decision to somebody else.
    const given = widened
      .replace("'TxProfile'", "'LocalGeneration'")
      .replace("'TxDefaultProfile'", "'LocalGeneration'");
    expect(codeFrom(worded(given, kind))).toBe('mapping.widens');
  });

  it('that speaks to another EVSE is stopped', () => {
    expect(codeFrom(() => run(override('2', '4000')))).toBe('mapping.widens');
    expect(codeFrom(() => run(override('0', '4000', 'ChargePointMaxProfile'), false))).toBe('mapping.widens');
  });
});

function codeFrom(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (e) {
    return codeOf(e);
  }
}
