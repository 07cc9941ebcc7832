import { VENDOR } from './types.ts';

/** What the simulated vendor understands: `Echo` gives the data back (ocpp 8, DataTransfer). */
export function dataTransfer<D>({ vendorId, messageId, data }: { vendorId: string; messageId?: string; data?: D }) {
  if (vendorId !== VENDOR) return { status: 'UnknownVendorId' } as const;
  if (messageId !== 'Echo') return { status: 'UnknownMessageId' } as const;
  return { status: 'Accepted', ...(data === undefined ? {} : { data }) } as const;
}
