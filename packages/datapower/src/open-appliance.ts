import type { Appliance } from './appliance.ts';
import { applianceActions } from './appliance-actions.ts';
import { applianceReads } from './appliance-reads.ts';
import { applianceTransfers } from './appliance-transfers.ts';
import { type ApplianceAddress, type Deadlines, Session } from './session.ts';

/** The deadlines in force where the caller gives none. */
export const usualDeadlines: Deadlines = {
  connectMs: 10_000,
  stallMs: 120_000,
  readMs: 60_000,
  actionMs: 120_000,
  secureBackupMs: 20 * 60_000,
  transferMs: 4 * 60 * 60_000,
};

/** Makes the client of one appliance; no connection is opened before the first call. */
export function openAppliance(
  address: ApplianceAddress,
  options: { readonly deadlines?: Partial<Deadlines> } = {},
): Appliance {
  const deadlines = { ...usualDeadlines, ...options.deadlines };
  const session = new Session(address, deadlines);
  return {
    ...applianceReads(session, deadlines),
    ...applianceActions(session, deadlines),
    ...applianceTransfers(session, deadlines),
    close: () => session.close(),
  };
}
