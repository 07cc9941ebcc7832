import { errorTable } from '../errors.ts';

export const QUANTITY_ERRORS = errorTable('quantity', {
  'quantity.invalid': {
    what: 'A quantity must be a finite number within its range.',
    remedy: 'Send a plain finite number in the stated unit.',
    retry: 'no',
    protocol: 'schema.invalid',
  },
  'quantity.unit': {
    what: 'This unit is not known here.',
    remedy: 'Use a unit of the list in the documentation; capital letters count.',
    retry: 'no',
    protocol: 'schema.invalid',
  },
  'quantity.direction': {
    what: 'This protocol cannot express that direction of power.',
    remedy: 'Use the field for the other direction, or a protocol with signed values.',
    retry: 'no',
    protocol: 'capability.unsupported',
  },
});
