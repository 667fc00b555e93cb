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

/** How the client of one appliance behaves. */
export interface ApplianceOptions {
  readonly deadlines?: Partial<Deadlines> | undefined;
  /**
   * Asked before a connection is opened and right before the first byte of every request is written; when it says no,
   * nothing is sent and the call ends with `SENDING_NOT_ALLOWED`. Without it, sending is always allowed.
   */
  readonly maySend?: (() => boolean) | undefined;
}

/** Makes the client of one appliance; no connection is opened before the first call. */
export function openAppliance(address: ApplianceAddress, options: ApplianceOptions = {}): Appliance {
  const deadlines = { ...usualDeadlines, ...options.deadlines };
  const session = new Session(address, deadlines, options.maySend ?? (() => true));
  return {
    ...applianceReads(session, deadlines),
    ...applianceActions(session, deadlines),
    ...applianceTransfers(session, deadlines),
    close: () => session.close(),
  };
}
