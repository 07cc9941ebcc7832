import { afterEach, describe, expect, it } from 'vitest';
import { flag, unitsOf, whole, words } from '../../bridges/ocpp/capabilities.ts';
import { meteringSteps, missing } from '../../bridges/ocpp/metering.ts';
import { iso } from '../../core/clock.ts';
import { accept, BOOT, BridgeWorld, callError, type Script, say } from './world.ts';

type Json = Record<string, unknown>;

let world: BridgeWorld;
const close = () => world.close();

/** A configuration of 1.6 as a script: reads and writes; `check` may refuse a write, `strict` bounds the list of keys. */
function config16(
  values: Record<string, string>,
  o: { readonly strict?: number; readonly refuses?: string; readonly fixed?: readonly string[] } = {},
): Script {
  return (action, p) => {
    if (action === 'GetConfiguration') {
      const asked = p.key as string[];
      if (asked.length > (o.strict ?? 50)) throw callError('OccurenceConstraintViolation');
      const known = asked.filter((key) => key in values);
      const unknownKey = asked.filter((key) => !(key in values));
      const configurationKey = known.map((key) => ({
        key,
        readonly: o.fixed?.includes(key) === true,
        value: values[key],
      }));
      return { configurationKey, ...(unknownKey.length > 0 ? { unknownKey } : {}) };
    }
    if (action === 'ChangeConfiguration') {
      const { key, value } = p as { key: string; value: string };
      if (o.refuses !== undefined && value.includes(o.refuses)) return { status: 'Rejected' };
      values[key] = value;
      return { status: 'Accepted' };
    }
    return accept(action, p);
  };
}

/** The same for variables of 2.x, by `Component.Variable`. */
function variables(values: Record<string, string>, o: { readonly strict?: number } = {}): Script {
  const place = (x: Json) => {
    const { name, instance } = x.variable as Json;
    return `${(x.component as Json).name}.${name}${instance === undefined ? '' : `[${instance}]`}`;
  };
  return (action, p) => {
    if (action === 'GetVariables') {
      const asked = p.getVariableData as Json[];
      if (asked.length > (o.strict ?? 50)) throw callError('OccurrenceConstraintViolation');
      return {
        getVariableResult: asked.map((x) => {
          const value = values[place(x)];
          return value === undefined
            ? { ...x, attributeStatus: 'UnknownVariable' }
            : { ...x, attributeStatus: 'Accepted', attributeValue: value };
        }),
      };
    }
    if (action === 'SetVariables') {
      const asked = p.setVariableData as Json[];
      for (const x of asked) values[place(x)] = String(x.attributeValue);
      return {
        setVariableResult: asked.map(({ component, variable }) => ({
          component,
          variable,
          attributeStatus: 'Accepted',
        })),
      };
    }
    return accept(action, p);
  };
}

const FULL_16 = {
  SupportedFeatureProfiles: 'Core, SmartCharging,RemoteTrigger',
  ChargingScheduleAllowedChargingRateUnit: 'Current,Power',
  ChargeProfileMaxStackLevel: '8',
  ChargingScheduleMaxPeriods: '24',
  MaxChargingProfilesInstalled: '4',
  MeterValuesSampledData: 'Power.Active.Import,Energy.Active.Import.Register,Voltage',
  MeterValueSampleInterval: '5',
};

describe('what a station can do', () => {
  afterEach(close);
  const told = () => world.told('StationCapabilities').at(-1);

  it('is asked after the boot, one call at a time, and told to the twin', async () => {
    world = await BridgeWorld.open();
    const s = await world.scripted('ocpp1.6', 'AC-1', { script: config16({ ...FULL_16 }) });
    expect(told()).toMatchObject({
      resourceId: 'AC-1.1',
      protocol: 'ocpp1.6',
      source: 'probed',
      form: 'limitA',
      functions: ['smartCharging'],
      rateUnits: ['A', 'W'],
      maxStackLevel: 8,
      maxPeriods: 24,
      maxProfiles: 4,
      meterIntervalS: 5,
      reasons: [],
    });
    expect(s.of('GetConfiguration')).toHaveLength(1);
    expect(s.of('ChangeConfiguration')).toEqual([]);
    expect(world.row('AC-1.1')?.steppedDown).toBeUndefined();
  });

  it('is not asked again at a reconnect, but after the next boot', async () => {
    world = await BridgeWorld.open();
    const script = config16({ ...FULL_16 });
    const s = await world.scripted('ocpp1.6', 'AC-1', { script });
    s.close();
    await world.settle();
    const again = await world.scripted('ocpp1.6', 'AC-1', { boot: false, script });
    await again.call('Heartbeat', {});
    await world.run(1000);
    expect(again.of('GetConfiguration')).toEqual([]);
    await again.call('BootNotification', BOOT['ocpp1.6']);
    await world.run(1000);
    expect(again.of('GetConfiguration')).toHaveLength(1);
  });

  it('leaves out forms before they are tried: a station that takes watts only is told watts', async () => {
    world = await BridgeWorld.open();
    const script = config16({ ...FULL_16, ChargingScheduleAllowedChargingRateUnit: 'Power' });
    const s = await world.scripted('ocpp1.6', 'AC-1', { script });
    await s.call('StatusNotification', say.status16('Preparing'));
    await s.call('StartTransaction', say.start16());
    world.command('AC-1.1', { powerW: 7000 });
    await world.settle();
    expect(JSON.stringify(s.of('SetChargingProfile').at(-1))).toContain('"chargingRateUnit":"W"');
    expect(world.row('AC-1.1')).toMatchObject({ shape: 'limitW' });
    expect(world.row('AC-1.1')?.steppedDown).toBe('limit in W, because of limit in A: it takes no amperes');
  });

  it.each([6, 3, 1])('is asked in shorter lists where the station takes %i keys at most', async (strict) => {
    world = await BridgeWorld.open();
    await world.scripted('ocpp1.6', 'AC-1', { script: config16({ ...FULL_16 }, { strict }) });
    expect(told()).toMatchObject({ source: 'probed', maxProfiles: 4, meterIntervalS: 5, rateUnits: ['A', 'W'] });
  });

  it('is assumed where the station cannot be asked, and that costs few calls', async () => {
    world = await BridgeWorld.open();
    const s = await world.scripted('ocpp1.6', 'AC-1', {
      script: (action, p) => {
        if (action === 'GetConfiguration') throw callError('NotImplemented');
        return accept(action, p);
      },
    });
    expect(told()).toMatchObject({
      source: 'assumed',
      form: 'limitA',
      reasons: [{ step: 'GetConfiguration', why: 'ocpp.notImplemented' }],
    });
    expect(s.of('GetConfiguration')).toHaveLength(1);
  });

  it('does not hold up commands while the station keeps silent', async () => {
    world = await BridgeWorld.open();
    const s = await world.scripted('ocpp1.6', 'AC-1', {
      script: (action, p) => (action === 'GetConfiguration' ? new Promise(() => undefined) : accept(action, p)),
    });
    await s.call('StatusNotification', say.status16('Preparing'));
    await s.call('StartTransaction', say.start16());
    await world.run(6000, 1000);
    expect(told()).toMatchObject({ source: 'assumed', reasons: [{ why: 'ocpp.timeout' }] });
    const id = world.command('AC-1.1', { powerW: 7000 });
    await world.settle();
    expect(world.outcome(id)).toMatchObject({ state: 'accepted' });
    expect(s.of('GetConfiguration')).toHaveLength(1);
  });

  it('of 2.1 decides between dynamic and scheduled setpoints and limits', async () => {
    const cases = [
      [{ 'SmartChargingCtrlr.SupportsDynamicProfiles': 'true' }, 'dynamic'],
      [{ 'SmartChargingCtrlr.SupportsDynamicProfiles': 'False' }, 'setpoint'],
      [{ 'V2XChargingCtrlr.SupportedOperationModes': 'ChargingOnly,Idle' }, 'limitW'],
      [{ 'V2XChargingCtrlr.Enabled': 'false' }, 'limitW'],
      [{ 'SmartChargingCtrlr.Enabled': 'false' }, 'onOff'],
    ] as const;
    world = await BridgeWorld.open();
    for (const [values, form] of cases) {
      const s = await world.scripted('ocpp2.1', 'V2G-1', { script: variables({ ...values }) });
      expect(told()?.form, JSON.stringify(values)).toBe(form);
      s.close();
      await world.settle();
    }
    const discharge = world.command('V2G-1.1', { powerW: -10_000 });
    expect(world.outcome(discharge)?.state).toBe('refused');
  });

  it('of 2.0.1 is read in parts where lists are short', async () => {
    world = await BridgeWorld.open();
    const script = variables(
      {
        'SmartChargingCtrlr.Enabled': 'true',
        'SmartChargingCtrlr.RateUnit': 'A',
        'SmartChargingCtrlr.ProfileStackLevel': '3',
      },
      { strict: 2 },
    );
    await world.scripted('ocpp2.0.1', 'AC-1', { script });
    expect(told()).toMatchObject({ protocol: 'ocpp2.0.1', form: 'limitA', rateUnits: ['A'], maxStackLevel: 3 });
  });
});

describe('metering', () => {
  afterEach(close);
  const told = () => world.told('StationCapabilities').at(-1);

  it('is set to what the path needs, and a refused list gets shorter', async () => {
    world = await BridgeWorld.open();
    const values = {
      ...FULL_16,
      MeterValuesSampledData: 'Energy.Active.Import.Register',
      MeterValueSampleInterval: '900',
    };
    const s = await world.scripted('ocpp1.6', 'AC-1', { script: config16(values, { refuses: 'Voltage' }) });
    expect(s.of('ChangeConfiguration')).toEqual([
      { key: 'MeterValueSampleInterval', value: '10' },
      { key: 'MeterValuesSampledData', value: 'Energy.Active.Import.Register,Power.Active.Import,Voltage' },
      { key: 'MeterValuesSampledData', value: 'Energy.Active.Import.Register,Power.Active.Import' },
    ]);
    expect(told()).toMatchObject({
      meterIntervalS: 10,
      measurands: ['Energy.Active.Import.Register', 'Power.Active.Import'],
      reasons: [{ step: 'MeterValuesSampledData' }],
    });
  });

  it('that is read-only is left, and said', async () => {
    world = await BridgeWorld.open();
    const values = { ...FULL_16, MeterValueSampleInterval: '0' };
    const s = await world.scripted('ocpp1.6', 'AC-1', {
      script: config16(values, { fixed: ['MeterValueSampleInterval'] }),
    });
    expect(s.of('ChangeConfiguration')).toEqual([]);
    expect(told()).toMatchObject({
      meterIntervalS: 0,
      reasons: [{ step: 'MeterValueSampleInterval', why: 'it is read-only' }],
    });
  });

  it('of 2.x is set by variables', async () => {
    world = await BridgeWorld.open();
    const values = {
      'SampledDataCtrlr.TxUpdatedMeasurands': 'Power.Active.Import',
      'SampledDataCtrlr.TxUpdatedInterval': '60',
      'V2XChargingCtrlr.TxUpdatedInterval[CentralSetpoint]': '30',
    };
    await world.scripted('ocpp2.1', 'V2G-1', { script: variables(values) });
    expect(values['SampledDataCtrlr.TxUpdatedInterval']).toBe('10');
    expect(values['V2XChargingCtrlr.TxUpdatedInterval[CentralSetpoint]']).toBe('10');
    expect(told()?.measurands).toEqual([
      'Power.Active.Import',
      'Power.Active.Export',
      'Energy.Active.Import.Register',
      'Energy.Active.Export.Register',
      'SoC',
    ]);
  });

  it('steps keep what is sampled already and end with the power', () => {
    const needs = { intervalS: 10, exports: true, current: 'dc' } as const;
    expect(missing(['Power.Active.Import', 'SoC'], needs)).toHaveLength(3);
    const steps = meteringSteps(['Frequency'], needs);
    expect(steps).toHaveLength(5);
    expect(steps.at(-1)).toEqual(['Frequency', 'Power.Active.Import']);
    expect(meteringSteps(steps[0] ?? [], needs)).toEqual([]);
  });
});

describe('the default profile', () => {
  afterEach(close);

  it('that a composite schedule of 2.x does not show counts as what it shows', async () => {
    world = await BridgeWorld.open();
    const stations = [
      { identity: 'AC-1', evses: [{ evse: 1, current: 'ac' as const, maxImportW: 11_040, offlineImportW: 4600 }] },
    ];
    await world.site.reload({ ...world.file, stations, groups: [], contracts: [] });
    const composite = (limit: number): Script => {
      const read = variables({ 'SmartChargingCtrlr.Enabled': 'true' });
      return (action, p) =>
        action === 'GetCompositeSchedule'
          ? {
              status: 'Accepted',
              schedule: {
                evseId: 1,
                duration: 60,
                scheduleStart: iso(world.clock.now()),
                chargingRateUnit: 'W',
                chargingSchedulePeriod: [{ startPeriod: 0, limit }],
              },
            }
          : read(action, p);
    };
    const liar = await world.scripted('ocpp2.0.1', 'AC-1', { script: composite(9000) });
    expect(world.logged('station.defaultNotShown')).toBe(1);
    expect(world.told('StationCapabilities').at(-1)).toMatchObject({
      shownImportW: 9000,
      functions: ['smartCharging', 'composite'],
    });
    const status = { evseId: 1, connectorId: 1, connectorStatus: 'Available', timestamp: iso(world.clock.now()) };
    await liar.call('StatusNotification', status);
    liar.close();
    await world.settle();
    expect(world.told('StationStatus').at(-1)).toMatchObject({ state: 'offline', offlineImportW: 9000 });
    await world.scripted('ocpp2.0.1', 'AC-1', { script: composite(4600) });
    expect(world.logged('station.defaultNotShown')).toBe(1);
    expect(world.told('StationCapabilities').at(-1)).toMatchObject({ shownImportW: 4600 });
  });
});

describe('values of a configuration', () => {
  it('are read with tolerance', () => {
    expect(unitsOf('Current, power')).toEqual(['A', 'W']);
    expect(unitsOf('W')).toEqual(['W']);
    expect(unitsOf('Volt')).toBeUndefined();
    expect(unitsOf(undefined)).toBeUndefined();
    expect(words(' a,,b ')).toEqual(['a', 'b']);
    expect(whole(' 10 ')).toBe(10);
    expect(whole('-1')).toBeUndefined();
    expect(flag('TRUE')).toBe(true);
    expect(flag('no')).toBeUndefined();
  });
});
