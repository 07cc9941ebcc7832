import { BoundedMap } from '../../../core/bounded.ts';
import { callError, type Request, type Response } from '../../../protocols/ocpp/index.ts';
import { MEASURANDS, type Measurand, SETPOINT_MEASURAND } from './meter.ts';
import type { Row } from './rows.ts';

type V = 'ocpp2.0.1';
type Get = Request<V, 'GetVariables'>['getVariableData'][number];
type Got = Response<V, 'GetVariables'>['getVariableResult'][number];
type Set = Request<V, 'SetVariables'>['setVariableData'][number];
type SetResult = Response<V, 'SetVariables'>['setVariableResult'][number];
type Report = Request<V, 'NotifyReport'>;
type Data = NonNullable<Report['reportData']>[number];

const ROWS_PER_REPORT = 10;
const SAMPLED: readonly Measurand[] = [...MEASURANDS, SETPOINT_MEASURAND];

export interface VariablesOptions {
  /** Variables that one message may ask for or set. */
  readonly itemsPerMessage: number;
  /** Told after a value was written. */
  readonly onWrite: (path: string, value: string) => void;
}

/** The device model of a 2.x station: reads, writes, reports (ocpp 6). */
export class Variables {
  readonly #rows: readonly Row[];
  readonly #written: BoundedMap<Row, string>;
  readonly #o: VariablesOptions;

  constructor(rows: readonly Row[], o: VariablesOptions) {
    this.#rows = rows;
    this.#o = o;
    this.#written = new BoundedMap({ name: 'simulator.variables', max: rows.length, overflow: 'refuse' });
  }

  /** Value at `Component.Variable[Instance]`; '' when there is no such variable. */
  text(path: string): string {
    const row = this.#rows.find((r) => pathOf(r) === path);
    return row ? this.#value(row) : '';
  }

  number(path: string): number {
    return Number(this.text(path));
  }

  flag(path: string): boolean {
    return this.text(path) === 'true';
  }

  measurands(path: string): Measurand[] {
    const names = this.text(path)
      .split(',')
      .map((m) => m.trim());
    return SAMPLED.filter((m) => names.includes(m));
  }

  /** The answer to GetVariables. Throws the CALLERROR OccurrenceConstraintViolation for too long a list. */
  getAll(asked: readonly Get[]): Got[] {
    this.#checkLength(asked.length);
    return asked.map((x) => this.#get(x));
  }

  /** The answer to SetVariables. Throws the CALLERROR OccurrenceConstraintViolation for too long a list. */
  setAll(asked: readonly Set[]): SetResult[] {
    this.#checkLength(asked.length);
    return asked.map((x) => this.#set(x));
  }

  #checkLength(length: number): void {
    const { itemsPerMessage: max } = this.#o;
    if (length > max) throw callError('OccurrenceConstraintViolation', `At most ${max} variables per message.`);
  }

  #get(asked: Get): Got {
    const { component, variable, attributeType = 'Actual' } = asked;
    const found = this.#find(asked);
    const same = { component, variable, attributeType };
    if (typeof found === 'string') return { ...same, attributeStatus: found };
    if (attributeType !== 'Actual') return { ...same, attributeStatus: 'NotSupportedAttributeType' };
    return { ...same, attributeStatus: 'Accepted', attributeValue: this.#value(found) };
  }

  #set(asked: Set): SetResult {
    const { component, variable, attributeType = 'Actual', attributeValue } = asked;
    const found = this.#find(asked);
    const same = { component, variable, attributeType };
    if (typeof found === 'string') return { ...same, attributeStatus: found };
    if (attributeType !== 'Actual') return { ...same, attributeStatus: 'NotSupportedAttributeType' };
    if (!found.check?.(attributeValue)) return { ...same, attributeStatus: 'Rejected' };
    this.#written.set(found, attributeValue);
    this.#o.onWrite(pathOf(found), attributeValue);
    return { ...same, attributeStatus: found.rebootRequired ? 'RebootRequired' : 'Accepted' };
  }

  /** The messages of a base report, in order. */
  reports(requestId: number, base: Request<V, 'GetBaseReport'>['reportBase'], generatedAt: string): Report[] {
    const rows = this.#rows.filter((row) => {
      if (base === 'ConfigurationInventory') return row.check !== undefined;
      return base === 'FullInventory' || row.variable === 'AvailabilityState';
    });
    const reports: Report[] = [];
    for (let i = 0; i < rows.length; i += ROWS_PER_REPORT) {
      const reportData = rows.slice(i, i + ROWS_PER_REPORT).map((row) => this.#data(row));
      const tbc = i + ROWS_PER_REPORT < rows.length;
      reports.push({ requestId, generatedAt, seqNo: reports.length, tbc, reportData });
    }
    return reports;
  }

  #value(row: Row): string {
    return this.#written.get(row) ?? (typeof row.value === 'string' ? row.value : row.value());
  }

  /** Names are compared without case; a request without an EVSE means the first one. */
  #find({ component, variable }: Pick<Get, 'component' | 'variable'>): Row | 'UnknownComponent' | 'UnknownVariable' {
    const here = this.#rows.filter(
      (r) => equal(r.component, component.name) && (!component.evse || r.evseId === component.evse.id),
    );
    if (here.length === 0 || component.instance !== undefined) return 'UnknownComponent';
    return (
      here.find((r) => equal(r.variable, variable.name) && equal(r.instance, variable.instance)) ?? 'UnknownVariable'
    );
  }

  #data(row: Row): Data {
    return {
      component: { name: row.component, ...(row.evseId === undefined ? {} : { evse: { id: row.evseId } }) },
      variable: { name: row.variable, ...(row.instance === undefined ? {} : { instance: row.instance }) },
      variableAttribute: [{ value: this.#value(row), mutability: row.check ? 'ReadWrite' : 'ReadOnly' }],
      variableCharacteristics: {
        dataType: row.dataType,
        supportsMonitoring: false,
        ...(row.unit === undefined ? {} : { unit: row.unit }),
        ...(row.maxLimit === undefined ? {} : { maxLimit: row.maxLimit }),
      },
    };
  }
}

const pathOf = (r: Row): string => `${r.component}.${r.variable}${r.instance === undefined ? '' : `[${r.instance}]`}`;
const equal = (a = '', b = ''): boolean => a.toLowerCase() === b.toLowerCase();
