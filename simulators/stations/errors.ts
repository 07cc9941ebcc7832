import { errorTable } from '../../core/errors.ts';

/** Errors of the station simulator. */
export const SIMULATOR_ERRORS = errorTable('simulator', {
  'simulator.settings': {
    what: 'A setting of the simulator is not usable.',
    remedy: 'Correct the named option; --help lists them.',
    retry: 'afterFix',
  },
  'simulator.unknownStation': {
    what: 'The simulator plays no station of that name.',
    remedy: 'Name a station of the fleet, or * for all.',
    retry: 'afterFix',
  },
});
