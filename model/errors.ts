import { errorTable, type Retry } from '../core/errors.ts';

const row = (what: string, remedy: string, retry: Retry = 'no') => ({ what, remedy, retry });

/** The business codes of fo 4.4: what the hub says about requests. The FO link adds its own for form and peers. */
export const SERVICE_ERRORS = errorTable('service', {
  'id.conflict': row('The id was used before with other content.', 'Use a fresh id for new content.'),
  'id.unknown': row('There is no object with this id.', 'Check the id; it may have ended or belong to someone else.'),
  'time.past': row('The time span lies completely in the past.', 'Ask for a time span that ends later.', 'afterFix'),
  'time.expired': row('It came or was decided too late.', 'Send it again with a later expiry.', 'afterFix'),
  'time.window': row(
    'The time span lies outside what the contract covers.',
    'Stay within validity, notice and duration of the contract.',
    'afterFix',
  ),
  'seq.stale': row('Something newer is in force already.', 'Continue with a higher seq or revision.'),
  'state.invalid': row(
    'This is not allowed in the current state.',
    'Look at the state first; begin a link with Hello.',
  ),
  'contract.unknown': row('There is no such contract.', 'Check contractId or propose the contract first.'),
  'contract.inactive': row('The contract is not active.', 'Resume or renew the contract.'),
  'contract.scope': row('The contract does not cover this.', 'Ask for services and resources inside its scope.'),
  'contract.limit': row(
    'A limit of the contract is exceeded.',
    'Stay within power, energy, number and duration agreed.',
  ),
  'credential.missing': row('A required credential is missing.', 'Present the credential.', 'afterFix'),
  'credential.invalid': row('A credential is invalid.', 'Present a valid credential.', 'afterFix'),
  'credential.expired': row('A credential has expired.', 'Renew the credential.', 'afterFix'),
  'credential.revoked': row('A credential was revoked.', 'Obtain a new credential from its issuer.', 'afterFix'),
  'credential.unverifiable': row(
    'A credential cannot be verified now: its issuer cannot be reached.',
    'Try again when the issuer can be reached.',
    'yes',
  ),
  'credential.claims': row('A credential lacks a required claim.', 'Present one with all required claims.', 'afterFix'),
  'capability.unsupported': row('The resource cannot do this.', 'Ask only for functions that it publishes.'),
  'capability.insufficient': row('The resource is too small for this.', 'Ask for less.'),
  'capability.rate': row('The resource is too slow for this.', 'Use the interval offered in the answer.'),
  'resource.unknown': row('There is no such resource.', 'Query the resources and use their ids.', 'later'),
  'resource.offline': row('The resource is not connected.', 'Try again when it is back.', 'later'),
  'resource.faulted': row('The resource reports a fault.', 'Try again when it is repaired.', 'later'),
  'resource.optedOut': row('The driver or operator has opted out.', 'Try again when the opt-out ends.', 'later'),
  'resource.refused': row('The receiver does not want this resource.', 'Leave it out of what is published.', 'later'),
  'param.invalid': row('A service parameter is invalid.', 'Correct the named parameter.'),
  'param.unstable': row('The curve would not be stable.', 'Let it rise the way the clause demands.'),
  'param.range': row('A service parameter is out of range.', 'Stay within the published range.'),
  'conflict.overlap': row('Another service holds the resource.', 'Choose another time or resource.'),
  'conflict.gridFunction': row(
    'It would fight a mandatory grid function.',
    'Leave protection, ride-through and trip settings alone.',
  ),
  'limit.clipped': row('Applied with a tighter physical limit.', 'Nothing to do; see appliedW and limitedBy.'),
  'mandatory.noOptOut': row('A mandatory service allows no opt-out.', 'Only the physical stop remains.'),
  'mandatory.unproven': row('The mandate is not acceptable.', 'Give a mandateRef of a configured issuer.'),
  'preference.infeasible': row('The wish cannot be met completely.', 'See the best effort in the answer.'),
});

export type ServiceCode = keyof (typeof SERVICE_ERRORS)['kinds'];
