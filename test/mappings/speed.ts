import { openLibrary } from './corpus.ts';

/**
 * Measures in a process of its own, for the test runner changes how modules call each other. Prints the median of the
 * ratio between the mapping of a TransactionEvent and the same by hand, over interleaved rounds.
 */
interface Sample {
  readonly value: number;
  readonly measurand?: string;
  readonly location?: string;
  readonly unitOfMeasure?: { readonly unit?: string; readonly multiplier?: number };
}
interface Event {
  readonly eventType: 'Started' | 'Updated' | 'Ended';
  readonly timestamp: string;
  readonly seqNo: number;
  readonly transactionInfo: { readonly transactionId: string; readonly chargingState?: string };
  readonly meterValue?: readonly { readonly timestamp: string; readonly sampledValue: readonly Sample[] }[];
}

const KINDS = { Started: 'started', Updated: 'updated', Ended: 'ended' };
const STATES: Readonly<Record<string, string>> = { Charging: 'charging', EVConnected: 'connected' };
const KILO: Readonly<Record<string, number>> = { kW: 1000, kWh: 1000 };

/** The same translation by hand, as fast as somebody would write it who thinks of the same cases. */
function byHand(p: Event, resourceId: string): unknown[] {
  const messages: unknown[] = [];
  for (const { timestamp, sampledValue } of p.meterValue ?? []) {
    const sums: Record<string, number> = {};
    for (const s of sampledValue) {
      if (s.location !== undefined && s.location !== 'Outlet') continue;
      const { unit = 'Wh', multiplier = 0 } = s.unitOfMeasure ?? {};
      const key = s.measurand ?? 'Energy.Active.Import.Register';
      sums[key] = (sums[key] ?? 0) + s.value * 10 ** multiplier * (KILO[unit] ?? 1);
    }
    const payload = {
      resourceId,
      at: new Date(timestamp).toISOString(),
      powerW: (sums['Power.Active.Import'] ?? 0) - (sums['Power.Active.Export'] ?? 0),
      voltageV: sums.Voltage,
      socPct: sums.SoC,
      importWh: sums['Energy.Active.Import.Register'],
      exportWh: sums['Energy.Active.Export.Register'],
      quality: 'good',
    };
    messages.push({ topic: 'hub/MeterReading', payload });
  }
  const { transactionId, chargingState = '' } = p.transactionInfo;
  const at = new Date(p.timestamp).toISOString();
  const payload = { resourceId, sessionId: transactionId, kind: KINDS[p.eventType], at, seqNo: p.seqNo };
  const event = { topic: 'hub/SessionEvent', payload: { ...payload, state: STATES[chargingState] } };
  return p.eventType === 'Ended' ? [...messages, event] : [event, ...messages];
}

const entry = openLibrary()
  .entries()
  .find((e) => e.path === 'ocpp2.1/to-hub/TransactionEventRequest.jsonata');
const example = entry?.examples().find((e) => e.name.startsWith('updated: the event first'));
if (!entry || !example) throw new Error('The mapping or its example is missing.');
const input = example.input as Event;
const byMapping = (): unknown => entry.mapping.run(input, example.ctx);
const byMe = (): unknown => byHand(input, 'CS2.1');
if (JSON.stringify(byMapping()) !== JSON.stringify({ messages: byMe() })) throw new Error('The two differ.');

cost(byMapping, 20_000);
cost(byMe, 20_000);
const rounds = Array.from({ length: 21 }, () => cost(byMapping, 2000) / cost(byMe, 2000));
console.log(rounds.sort((a, b) => a - b)[10]);

function cost(run: () => unknown, times: number): number {
  const start = process.hrtime.bigint();
  for (let i = 0; i < times; i++) run();
  return Number(process.hrtime.bigint() - start);
}
