import { errorTable } from '../core/errors.ts';

/** What can go wrong in the gateway process itself: settings, listening, Node-RED, the HTTP API. */
export const GATEWAY_ERRORS = errorTable('gateway', {
  'settings.invalid': {
    what: 'A setting has a value that cannot be used.',
    remedy: 'Correct the environment variables that are named and start again.',
    retry: 'afterFix',
  },
  'listen.insecure': {
    what: 'The gateway would be reachable from the network without encryption and without credentials.',
    remedy: 'Use V2GATE_HOST=127.0.0.1, or put the words that give this up into V2GATE_INSECURE.',
    retry: 'afterFix',
  },
  'listen.failed': {
    what: 'The gateway cannot listen on this address.',
    remedy:
      'Check V2GATE_HOST and V2GATE_HTTP_PORT; the address must belong to this machine, and ports below 1024 often need special rights.',
    retry: 'afterFix',
  },
  'mapping.tooLarge': {
    what: 'A mapping file is too large.',
    remedy: 'Split it; a mapping translates one message.',
    retry: 'afterFix',
  },
  'mapping.noFile': {
    what: 'There is no such mapping file.',
    remedy: 'Name a file, or a mapping of the pack as `npx v2gate mappings list` shows it.',
    retry: 'afterFix',
  },
  'mapping.noJson': {
    what: 'The message for the mapping is not JSON.',
    remedy: 'Give the payload alone, as JSON without duplicate keys.',
    retry: 'afterFix',
  },
  'data.unwritable': {
    what: 'The data folder cannot be written.',
    remedy: 'Point V2GATE_DATA to a folder that this user may write.',
    retry: 'afterFix',
  },
  'secrets.broken': {
    what: 'The secrets file cannot be used.',
    remedy: 'Make it a JSON object of names and secrets that this user may read, or remove it.',
    retry: 'afterFix',
  },
  'verify.usage': {
    what: 'The command was called with options that it does not know.',
    remedy: 'Call `npx v2gate verify` alone to see how it is used.',
    retry: 'afterFix',
  },
  'verify.noFile': {
    what: 'The file cannot be read.',
    remedy: 'Check the path.',
    retry: 'afterFix',
  },
  'verify.noKeys': {
    what: 'There are no public keys to check signatures with.',
    remedy: 'Give the JWKS of the gateway with --jwks, as a file or as its URL /.well-known/jwks.json.',
    retry: 'afterFix',
  },
  'signer.broken': {
    what: 'The signing key cannot be used.',
    remedy: 'Make it an Ed25519 or P-256 private key as PEM that only this user may read, or restore it from a backup.',
    retry: 'afterFix',
  },
  'signer.lost': {
    what: 'The signing key is gone, by which operators know this gateway.',
    remedy: 'Restore it from a backup, or put a new key in its place.',
    retry: 'afterFix',
  },
  'flows.broken': {
    what: 'The flow file cannot be used, so no flow is running.',
    remedy: 'Repair the file or move it away, then restart the gateway; the console stays available meanwhile.',
    retry: 'afterFix',
  },
  'gateway.crashed': {
    what: 'Something threw where nothing catches it, so the state of the process is uncertain and it ends.',
    remedy:
      'Where the stack names a function node, catch the error there; else report it with this line. A supervisor should start the gateway again.',
    retry: 'afterFix',
  },
  'programs.full': {
    what: 'No more simulators can run beside this gateway.',
    remedy: 'Stop one, or start more of them by hand; simulators/README.md says how.',
    retry: 'afterFix',
  },
  'api.notFound': {
    what: 'There is no such page or resource.',
    remedy: 'Look up the path; `GET /v2gate/api` lists all routes of the API.',
    retry: 'no',
  },
  'api.method': {
    what: 'This path does not answer that method.',
    remedy: 'Use the method that the Allow header names.',
    retry: 'no',
  },
  'api.badRequest': {
    what: 'The request cannot be understood.',
    remedy: 'Send a JSON object as the reference of the API shows it, with Content-Type: application/json.',
    retry: 'afterFix',
  },
  'api.tooLarge': {
    what: 'The request is larger than 64 KiB.',
    remedy: 'Send less at a time.',
    retry: 'no',
  },
  'api.forbiddenHost': {
    what: 'The Host header names a host that this gateway does not answer for.',
    remedy: 'Open the gateway as localhost, 127.0.0.1 or [::1].',
    retry: 'no',
  },
  'api.forbiddenOrigin': {
    what: 'A page of another origin sent this request.',
    remedy: 'Use the console of the gateway itself, or a program that sends no Origin header.',
    retry: 'no',
  },
  'api.loopbackOnly': {
    what: 'This may only be asked from the machine that the gateway runs on.',
    remedy: 'Send the request from the same machine.',
    retry: 'no',
  },
  'api.unauthorised': {
    what: 'Nobody may do this without saying who they are, and who it is was not shown, or not rightly.',
    remedy:
      'Log in at /console, or send `Authorization: Basic` with name and password, or the token that this route asks for.',
    retry: 'afterFix',
  },
  'api.forbidden': {
    what: 'The role of this user does not allow it.',
    remedy: 'Ask somebody with that role, or let `npx v2gate users role` give it.',
    retry: 'afterFix',
  },
  'api.badLogin': {
    what: 'Name or password is wrong.',
    remedy: 'Try again; `npx v2gate users password` sets a new password.',
    retry: 'afterFix',
  },
  'api.tooManyAttempts': {
    what: 'Too many passwords were tried.',
    remedy: 'Wait for the seconds that are named; who is logged in already does not have to.',
    retry: 'later',
  },
  'users.broken': {
    what: 'The users file cannot be used.',
    remedy: 'Make it what `npx v2gate users` writes, or move it away and add the users again.',
    retry: 'afterFix',
  },
  'users.refused': {
    what: 'The users cannot be changed in this way.',
    remedy: 'Call `npx v2gate users` alone to see how it is used.',
    retry: 'afterFix',
  },
  'file.unreadable': {
    what: 'The file cannot be read.',
    remedy: 'Let this user read it, or remove it.',
    retry: 'afterFix',
  },
  'api.tooManyClients': {
    what: 'Too many event streams are open.',
    remedy: 'Close other consoles and connect again.',
    retry: 'later',
  },
  'site.absent': {
    what: 'No site is running under this id.',
    remedy: 'Deploy a flow with a v2gate-site node, or name one of the sites that /v2gate/api/sites lists.',
    retry: 'later',
  },
  'order.noAnswer': {
    what: 'The station has not answered the order in time; it may have carried it out all the same.',
    remedy: 'Look at what the station does before you order again.',
    retry: 'later',
  },
  'clock.real': {
    what: 'The gateway runs on real time, which cannot be advanced.',
    remedy: 'Start it with V2GATE_CLOCK=manual.',
    retry: 'no',
  },
});
