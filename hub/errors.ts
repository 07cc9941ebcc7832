import { errorTable } from '../core/errors.ts';

/** What can go wrong in the hub beside the business codes of fo 4.4 (model/errors.ts). */
export const HUB_ERRORS = errorTable('hub', {
  'site.invalid': {
    what: 'The site file is not valid; the last good one stays in force.',
    remedy: 'Correct the named field of the site file.',
    retry: 'afterFix',
  },
  'site.unreadable': {
    what: 'The site file cannot be read.',
    remedy: 'Check path and permissions, or set V2GATE_SITE to an existing file.',
    retry: 'afterFix',
  },
  'site.unknown': {
    what: 'No site of that name is open here.',
    remedy: 'Configure a site node for it and deploy.',
    retry: 'afterFix',
  },
  'site.open': {
    what: 'A site of this id is open already.',
    remedy: 'Use one site node per site file.',
    retry: 'afterFix',
  },
  'site.allocatorTaken': {
    what: 'Another allocate node already acts for this site.',
    remedy: 'Keep one allocate node per site; remove or disable the other.',
    retry: 'afterFix',
  },
  'site.starting': {
    what: 'The site is still reading what was in force before the restart.',
    remedy: 'Send it again in a moment.',
    retry: 'yes',
  },
  'station.unknown': {
    what: 'No station of that identity waits for acceptance.',
    remedy: 'Look at the list of pending stations; it may have been accepted or have left.',
    retry: 'no',
  },
  'station.clash': {
    what: 'The station would get the id of a resource that exists already.',
    remedy: 'Give the EVSE of the known station another resourceId in the site file.',
    retry: 'afterFix',
  },
  'limit.unknownNode': {
    what: 'No circuit, EVSE or connection point has this id.',
    remedy: "Use 'poc', a circuitId or a resourceId of the site file.",
    retry: 'no',
  },
  'limit.full': {
    what: 'This site holds as many limits as it can.',
    remedy: 'Lift a limit that is no longer needed first.',
    retry: 'afterFix',
  },
  'meter.unknown': {
    what: 'The site file has no meter of this id.',
    remedy: 'Use the meterId of an entry in `meters` of the site file, or add the meter there.',
    retry: 'afterFix',
  },
  'message.unknown': {
    what: 'The site does not decide about messages of this topic.',
    remedy: 'Wire only requests of a party (hub/RequestService, hub/UpdateSetpoint, …) to this node.',
    retry: 'no',
  },
});
