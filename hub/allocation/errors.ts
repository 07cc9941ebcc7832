import { errorTable } from '../../core/errors.ts';

/** What the allocator refuses. Everything else (needs that collide with limits…) is a result, not an error. */
export const ALLOCATION_ERRORS = errorTable('allocation', {
  'allocation.input': {
    what: 'The site handed to the allocator is not consistent.',
    remedy: 'Correct the named circuit or EVSE of the site file.',
    retry: 'afterFix',
  },
});
