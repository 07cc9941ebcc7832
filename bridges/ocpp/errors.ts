import { errorTable } from '../../core/errors.ts';

/** What can go wrong between the hub and a charging station. */
export const BRIDGE_ERRORS = errorTable('ocppBridge', {
  'station.notConnected': {
    what: 'The station is not connected.',
    remedy: 'Wait until it reconnects; its last command ends by itself.',
    retry: 'later',
  },
  'station.notReady': {
    what: 'The station has connected but not yet said that it is up.',
    remedy: 'Wait for its boot or its first message; this takes seconds.',
    retry: 'later',
  },
  'station.notAccepted': {
    what: 'The station is not in the site file and waits to be accepted.',
    remedy: 'Accept it in the console, or add it to the site file.',
    retry: 'afterFix',
    protocol: 'SecurityError',
  },
  'station.refusedCommand': {
    what: 'The station refused the command.',
    remedy: 'Look at the reason in the log; a simpler form is tried by itself where there is one.',
    retry: 'later',
  },
  'station.noTransaction': {
    what: 'The transaction that the command was meant for has ended at the station.',
    remedy: 'Nothing to do; the next session gets its own commands.',
    retry: 'no',
  },
  'station.rebooted': {
    what: 'The station has restarted and forgotten the command.',
    remedy: 'Nothing to do; a new command follows when the session goes on.',
    retry: 'later',
  },
  'session.ended': {
    what: 'The command ended with its charging session.',
    remedy: 'Nothing to do.',
    retry: 'no',
  },
  'command.lapsed': {
    what: 'The command was no longer valid when its turn came.',
    remedy: 'Check clock and latency between operator and gateway.',
    retry: 'afterFix',
  },
  'native.unsupported': {
    what: 'This message is not sent to charging stations here.',
    remedy: 'Send a request of the version that the station speaks, named <language>/<Action>Request.',
    retry: 'no',
  },
  'mapping.widens': {
    what: 'A mapping would have sent the station more than was granted; nothing was sent.',
    remedy: 'Correct the named mapping: its power must not exceed the power of the command.',
    retry: 'afterFix',
  },
  'native.power': {
    what: 'Native messages that change power are not carried out by this link.',
    remedy: 'Send hub/CommandBatch to ocpp out; the link translates it for the station.',
    retry: 'no',
  },
});
