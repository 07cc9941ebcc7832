import { parseTime } from '../../core/clock.ts';
import type { V2gateError } from '../../core/errors.ts';
import {
  type Contract,
  type Credential,
  SERVICE_ERRORS,
  type ServiceRequest,
  type SiteFile,
} from '../../model/index.ts';
import { type Service, setpointParameters } from './service.ts';

const fail = SERVICE_ERRORS.fail;

/** The resources that a request acts on, or undefined when it names something the site does not have. */
export function membersOf(
  fsr: ServiceRequest,
  file: SiteFile,
  known: (resourceId: string) => boolean,
): string[] | undefined {
  if (fsr.target.resourceIds)
    return fsr.target.resourceIds.every(known) ? [...new Set(fsr.target.resourceIds)] : undefined;
  return file.groups?.find((g) => g.groupId === fsr.target.groupId)?.members.slice();
}

/** Rules of time for a new request, or for what becomes of a running one (fo 4.2). */
export function timeError(fsr: ServiceRequest, now: number, running?: Service): V2gateError | undefined {
  if (parseTime(fsr.window.end) <= now) {
    return fail('time.past', 'The service window lies completely in the past.', { path: '/fsr/window/end' });
  }
  if (!running && parseTime(fsr.decisionBy) <= now) {
    return fail('time.expired', 'decisionBy has passed already.', { path: '/fsr/decisionBy' });
  }
  return undefined;
}

/** Contract checks of fo 3.4: party, state, service type, validity, scope and hard limits. */
export function contractError(
  fsr: ServiceRequest,
  foId: string,
  file: SiteFile,
  now: number,
  running?: Service,
): V2gateError | undefined {
  const contract = file.contracts?.find((c) => c.contractId === fsr.contractId);
  const path = '/fsr/contractId';
  // A foreign contract is as good as unknown: nothing about other parties is revealed (fo 9.4).
  if (!contract || contract.foId !== foId) {
    return fail('contract.unknown', `There is no contract ${fsr.contractId} with ${foId}.`, { path });
  }
  if (contract.status !== 'active')
    return fail('contract.inactive', `Contract ${contract.contractId} is ${contract.status}.`, { path });
  if (!contract.serviceTypes.includes(fsr.serviceType)) {
    return fail('contract.scope', `Contract ${contract.contractId} does not cover ${fsr.serviceType}.`, {
      path: '/fsr/serviceType',
    });
  }
  const start = parseTime(fsr.window.start);
  const end = parseTime(fsr.window.end);
  if (start < parseTime(contract.validFrom) || end > parseTime(contract.validTo)) {
    return fail('time.window', 'The window lies outside the validity of the contract.', { path: '/fsr/window' });
  }
  if (!inScope(fsr.target, contract, file)) {
    return fail('contract.scope', 'The target is not in the scope of the contract.', { path: '/fsr/target' });
  }
  // What has begun needs no notice any more.
  const keepsStart = running !== undefined && running.fsr.window.start === fsr.window.start;
  return windowError(contract, start, end, keepsStart ? Number.NEGATIVE_INFINITY : now);
}

/** The contract of that id with that FO. */
export function contractOf(contractId: string, foId: string, file: SiteFile): Contract | undefined {
  return file.contracts?.find((c) => c.contractId === contractId && c.foId === foId);
}

/** Active and not over at `now` (fo 6.1). */
export function stands(contract: Contract | undefined, now: number): contract is Contract {
  return contract?.status === 'active' && parseTime(contract.validTo) > now;
}

function windowError(c: Contract, start: number, end: number, now: number): V2gateError | undefined {
  if (c.maxDurationS !== undefined && end - start > c.maxDurationS * 1000) {
    return fail('contract.limit', `The window is longer than ${c.maxDurationS} s.`, { path: '/fsr/window' });
  }
  if (c.minNoticeS !== undefined && start - now < c.minNoticeS * 1000) {
    return fail('contract.limit', `The contract asks for ${c.minNoticeS} s of notice.`, { path: '/fsr/window/start' });
  }
  return undefined;
}

/** Power limits of the contract; relative values count from the baseline, without which they mean nothing (fo 3.6). */
export function powerError(
  fsr: ServiceRequest,
  c: Contract | undefined,
  baselineW: number | undefined,
): V2gateError | undefined {
  const p = setpointParameters(fsr);
  if (!p || !c) return undefined;
  if (p.mode === 'relative' && baselineW === undefined) {
    const what = 'Relative setpoints need a baseline, and this one cannot be computed here.';
    return fail('capability.unsupported', what, { path: '/fsr/parameters/mode' });
  }
  const zeroW = p.mode === 'relative' ? (baselineW ?? 0) : 0;
  if (c.maxImportW !== undefined && zeroW + p.maxW > c.maxImportW) {
    return fail('contract.limit', `maxW leads above ${c.maxImportW} W.`, { path: '/fsr/parameters/maxW' });
  }
  if (c.maxExportW !== undefined && zeroW + p.minW < -c.maxExportW) {
    return fail('contract.limit', `minW leads below -${c.maxExportW} W.`, { path: '/fsr/parameters/minW' });
  }
  return undefined;
}

/** No station is given reactive power here; what cannot be expressed is refused, never faked (fo 7). */
export function reactiveError(reactiveVar: number | undefined, path: string): V2gateError | undefined {
  if (reactiveVar === undefined || reactiveVar === 0) return undefined;
  return fail('capability.unsupported', 'Reactive power is not served here; leave reactiveVar out.', { path });
}

/** A mandate is believed when an issuer of the site file gives references of this form, and the FO may pass them on (fo 9.4). */
export function mandateError(
  { mandatory, mandateRef }: ServiceRequest,
  foId: string,
  file: SiteFile,
): V2gateError | undefined {
  if (!mandatory) return undefined;
  const proven = file.mandateIssuers?.some(
    ({ refPrefix, foIds }) => mandateRef?.startsWith(refPrefix) === true && (foIds?.includes(foId) ?? true),
  );
  if (proven) return undefined;
  const what = 'No issuer of mandates that this site knows stands behind this reference.';
  return fail('mandatory.unproven', what, { path: '/fsr/mandateRef' });
}

/** True when every resource of the target is covered; default deny (fo 9.4). */
export function inScope(
  target: { readonly groupId?: string; readonly resourceIds?: readonly string[] },
  contract: Contract,
  file: SiteFile,
): boolean {
  const { siteIds = [], groupIds = [], resourceIds = [] } = contract.scope;
  if (siteIds.includes(file.siteId)) return true;
  if (target.groupId !== undefined && groupIds.includes(target.groupId)) return true;
  const asked = target.resourceIds ?? file.groups?.find((g) => g.groupId === target.groupId)?.members ?? [];
  const covered = new Set(resourceIds); // bounded by: the site file
  for (const g of file.groups ?? []) if (groupIds.includes(g.groupId)) for (const m of g.members) covered.add(m);
  return asked.length > 0 && asked.every((r) => covered.has(r));
}

/** Credentials that the site file names for the FO must be valid now (fo 6.1). */
export function credentialError(foId: string, file: SiteFile, now: number): V2gateError | undefined {
  for (const c of file.credentials ?? []) {
    if (!isOf(c, foId)) continue;
    if (c.status === 'revoked') return fail('credential.revoked', `Credential ${c.credentialId} was revoked.`);
    if (c.status === 'expired' || parseTime(c.validTo) <= now) {
      return fail('credential.expired', `Credential ${c.credentialId} has expired.`);
    }
    if (c.status !== 'valid') return fail('credential.unverifiable', `Credential ${c.credentialId} is ${c.status}.`);
  }
  return undefined;
}

const isOf = (c: Credential, foId: string): boolean =>
  c.subjectRef === foId && (c.kind === 'identity' || c.kind === 'authorisation');

/** True while a credential of the FO can be trusted neither way: it cannot be verified, or has expired (fo 6.1). */
export function credentialDoubt(foId: string, file: SiteFile, now: number): boolean {
  return (file.credentials ?? []).some(
    (c) => isOf(c, foId) && c.status !== 'revoked' && (c.status !== 'valid' || parseTime(c.validTo) <= now),
  );
}

/** Why a running service must end at once: its contract or a credential of its FO no longer stands (fo 6.1). */
export function endedBy(service: Service, file: SiteFile, now: number): string | undefined {
  if (!stands(contractOf(service.fsr.contractId, service.foId, file), now)) return 'contract.inactive';
  const revoked = file.credentials?.some((c) => isOf(c, service.foId) && c.status === 'revoked');
  return revoked ? 'credential.revoked' : undefined;
}
