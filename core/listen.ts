import { errorTable } from './errors.ts';

/** What every listening socket can meet, whatever it speaks. */
export const LISTEN_ERRORS = errorTable('listen', {
  'port.taken': {
    what: 'Another program already listens on this port.',
    remedy:
      'Stop that program or choose another port; with V2GATE_PORT_SEARCH=on the gateway moves to the next free one.',
    retry: 'afterFix',
  },
});
