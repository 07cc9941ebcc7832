import { errorTable } from './errors.ts';

/** What every listening socket can meet, whatever it speaks. */
export const LISTEN_ERRORS = errorTable('listen', {
  'port.taken': {
    what: 'Another program already listens on this port.',
    remedy:
      'Stop that program, choose a free port in the settings or the node, or set V2GATE_PORT_SEARCH=on to move to the next free one.',
    retry: 'afterFix',
  },
});
