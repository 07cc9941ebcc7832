import { BoundedMap } from '../../core/bounded.ts';
import { parseTime } from '../../core/clock.ts';
import type { V2gateError } from '../../core/errors.ts';
import { type Contract, SERVICE_ERRORS, type ServiceRequest, type SiteFile } from '../../model/index.ts';
import { contractOf } from './checks.ts';
import { holdsCapacity } from './order.ts';
import type { Service } from './service.ts';

const DAY_MS = 86_400_000;
/** Contracts and days that are remembered; a day is forgotten two days later. */
const MAX_DAYS = 20_000;

/** What a contract was used for on one day (UTC). */
export interface DayUse {
  readonly activations: number;
  /** Wh given by vehicles under the contract. */
  readonly exportWh: number;
}

const NONE: DayUse = { activations: 0, exportWh: 0 };

/** The use of contracts per day, against the limits of fo 3.4. Days are UTC. */
export class ContractUse {
  readonly #days = new BoundedMap<string, DayUse>({ name: 'hub.contractUse', max: MAX_DAYS, overflow: 'dropOldest' });

  of(contractId: string, at: number): DayUse {
    return this.#days.get(keyOf(contractId, at)) ?? NONE;
  }

  /** What a day becomes with more use; it counts when it was {@link set}. */
  with(contractId: string, at: number, more: Partial<DayUse>): { readonly key: string; readonly body: DayUse } {
    const key = keyOf(contractId, at);
    const { activations, exportWh } = this.#days.get(key) ?? NONE;
    return {
      key,
      body: { activations: activations + (more.activations ?? 0), exportWh: exportWh + (more.exportWh ?? 0) },
    };
  }

  get(key: string): DayUse {
    return this.#days.get(key) ?? NONE;
  }

  set(key: string, body: DayUse): void {
    this.#days.set(key, body);
  }

  /** True while vehicles may give energy under this contract today. */
  mayExport(contract: Contract | undefined, now: number): boolean {
    const most = contract?.maxExportWhPerDay;
    return contract === undefined || most === undefined || this.of(contract.contractId, now).exportWh < most;
  }
}

const dayOf = (at: number): number => Math.floor(at / DAY_MS);

const keyOf = (contractId: string, at: number): string => `${contractId}/${dayOf(at)}`;

/** True when a stored day may be forgotten. */
export const isPast = (key: string, now: number): boolean =>
  Number(key.slice(key.lastIndexOf('/') + 1)) < dayOf(now) - 1;

/** `maxActivationsPerDay`: services that began on the day of the request's start, and those that are to begin then. */
export function useError(
  fsr: ServiceRequest,
  foId: string,
  o: { readonly file: SiteFile; readonly use: ContractUse; readonly others: Iterable<Service> },
): V2gateError | undefined {
  const contract = contractOf(fsr.contractId, foId, o.file);
  const most = contract?.maxActivationsPerDay;
  if (most === undefined) return undefined;
  const start = parseTime(fsr.window.start);
  let count = o.use.of(fsr.contractId, start).activations;
  for (const s of o.others) {
    const ahead = holdsCapacity(s) && s.startedAt === undefined && s.fsr.contractId === fsr.contractId;
    if (ahead && dayOf(parseTime(s.fsr.window.start)) === dayOf(start)) count++;
  }
  if (count < most) return undefined;
  const what = `The contract allows ${most} activations per day, and ${count} are taken.`;
  return SERVICE_ERRORS.fail('contract.limit', what, { path: '/fsr/window/start' });
}

/** A service that runs and is activated once more counts once more. */
export function activationsUsed(
  { fsr, foId, startedAt }: Service,
  file: SiteFile,
  use: ContractUse,
  now: number,
): V2gateError | undefined {
  const most = contractOf(fsr.contractId, foId, file)?.maxActivationsPerDay;
  if (startedAt === undefined || most === undefined || use.of(fsr.contractId, now).activations < most) return undefined;
  return SERVICE_ERRORS.fail('contract.limit', `The contract allows ${most} activations per day.`, { path: '/action' });
}

/** True when a change of a record is an activation that counts (fo 3.4). */
export function isActivation(before: Service | undefined, after: Service): boolean {
  const delivers = (s: Service | undefined): boolean =>
    s?.state === 'active' && (s.activation?.state ?? 'delivering') === 'delivering';
  return delivers(after) && !delivers(before);
}
