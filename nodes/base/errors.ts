import { errorTable } from '../../core/errors.ts';

/** What can go wrong in the nodes themselves. Links, sites and mappings bring their own errors. */
export const NODE_ERRORS = errorTable('nodes', {
  'nodes.noGateway': {
    what: 'This Node-RED does not run inside a v2gate gateway.',
    remedy:
      'Start the gateway with `npm start`; or install its package into the user directory of this Node-RED, and restart it.',
    retry: 'no',
  },
  'nodes.config': {
    what: 'This node is not configured completely.',
    remedy: 'Open the node in the editor and fill in what it marks.',
    retry: 'afterFix',
  },
  'nodes.version': {
    what: 'This node was saved by a newer version of v2gate.',
    remedy: 'Update v2gate, or take the node from the palette again.',
    retry: 'no',
  },
  'nodes.message': {
    what: 'The message cannot be used by this node.',
    remedy: 'Send msg.topic as <language>/<Message> and msg.payload as its schema says.',
    retry: 'no',
    protocol: 'schema.invalid',
  },
  'nodes.notReady': {
    what: 'What this node needs is not running yet.',
    remedy: 'Send the message again when the status of the node is green.',
    retry: 'later',
    protocol: 'internal.temporary',
  },
  'nodes.replyUnknown': {
    what: 'Nobody waits for this answer any more.',
    remedy: 'Answer within 1.5 seconds, once, and keep msg.v2gate.replyTo of the request.',
    retry: 'no',
  },
  'nodes.mapping': {
    what: 'The mapping of this node cannot be used.',
    remedy: 'Correct the mapping where the diagnostics point to.',
    retry: 'afterFix',
  },
  'nodes.request': {
    what: 'The editor asked for something that does not exist.',
    remedy: 'Reload the editor; another version of v2gate may be running now.',
    retry: 'afterFix',
  },
  'nodes.tooLarge': {
    what: 'The text is too large to be tried out.',
    remedy: 'Try a shorter one; the node itself takes it as it is.',
    retry: 'no',
  },
  'nodes.notRunning': {
    what: 'This node does not run.',
    remedy: 'Deploy it first, and make sure that it is enabled.',
    retry: 'afterFix',
  },
  'nodes.noPrograms': {
    what: 'This gateway cannot run simulators.',
    remedy: 'Start them by hand and let them connect; simulators/README.md says how.',
    retry: 'no',
  },
  'nodes.busy': {
    what: 'Too many mappings are being tried out at once.',
    remedy: 'Wait a moment; the next change tries it again.',
    retry: 'later',
  },
});
