import { errorTable } from '../../core/errors.ts';

/** Errors of the site simulator. */
export const SITE_SIMULATOR_ERRORS = errorTable('siteSimulator', {
  'siteSimulator.unknownMeter': {
    what: 'The simulated site has no meter of that id.',
    remedy: 'Name a meter of the scenario, or * for all.',
    retry: 'afterFix',
  },
  'siteSimulator.refused': {
    what: 'The gateway did not take the meter values.',
    remedy: 'Compare the meters of the scenario with those of the site file; the answer names the field.',
    retry: 'afterFix',
  },
  'siteSimulator.unreachable': {
    what: 'The gateway cannot be reached for meter values.',
    remedy: 'Check --gateway, and that the gateway runs.',
    retry: 'yes',
  },
});
