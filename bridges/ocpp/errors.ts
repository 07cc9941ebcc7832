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
    remedy: 'Correct the named mapping: power and time must stay within those of the command.',
    retry: 'afterFix',
  },
  'native.power': {
    what: 'This native message would move power past the limits of the site; nothing was sent.',
    remedy: 'Use a TxProfile or TxDefaultProfile with watts, or send hub/PowerCommand; the link translates it.',
    retry: 'no',
  },
  'native.noReply': {
    what: 'Nobody waits for this answer.',
    remedy: 'Answer within 10 s, once, with the replyTo of the request, and only actions that flows answer.',
    retry: 'no',
  },
  'resource.excluded': {
    what: 'The station refused or did not follow the command, also in simpler forms; the resource is left out.',
    remedy: 'Look at the steps in the log or the console; it is tried again by itself after a while.',
    retry: 'later',
  },
  'resource.takesLess': {
    what: 'The vehicle takes or gives less than it may.',
    remedy: 'Nothing to do; the allocation learns what it takes.',
    retry: 'no',
  },
  'station.refusedOrder': {
    what: 'The station refused the order.',
    remedy: 'Look at the reason that it gave.',
    retry: 'later',
  },
  'order.incomplete': {
    what: 'Something is missing in the order.',
    remedy: 'Name the resource, and the token where no session was there before.',
    retry: 'afterFix',
  },
  'order.secret': {
    what: 'This setting is a password or a key; orders neither read nor set it.',
    remedy: 'Set it at the station itself, and the same in the secrets of the gateway.',
    retry: 'no',
  },
  'order.noReport': {
    what: 'The station has not reported all of its settings in time.',
    remedy: 'Ask again later, or for one setting by its key.',
    retry: 'later',
  },
  'order.unsupported': {
    what: 'The OCPP version of the station has no such order.',
    remedy: 'Use another order for this station.',
    retry: 'no',
  },
});
