import type { Channel } from '@stillpoint/core';
import type { NoticeContent } from '../app/notifier.ts';

/** A notice as one claim holds it: another claim has another id, also when the same node makes it. */
export type NoticeClaim = { readonly noticeId: string; readonly claimId: string };

/** A notice that is due, held by this node for as long as the lease lasts. */
export type ClaimedNotice = NoticeClaim & {
  readonly channel: Channel;
  readonly content: NoticeContent;
  /** In milliseconds since the epoch. */
  readonly createdAt: number;
  /** How many tries have failed. */
  readonly attempts: number;
  /** For how long it has waited, in milliseconds. */
  readonly waitedMs: number;
};

/** How a claimed notice is held. */
export const noticeLeaseMs = 120_000;

/**
 * The notices that wait to be delivered. Time is that of the database, for all nodes together; what is told under a claim
 * that was lost meanwhile changes nothing.
 */
export interface NoticeRecords<Transaction> {
  /** Enters one notice for each channel about a run that has ended; a channel that has its notice already gets no second. */
  enterDigests(trx: Transaction, runId: string, channels: readonly Channel[]): Promise<void>;
  /**
   * Takes at most one for each of these channels: the one that is due for longest. That an alarm was cleared waits until the
   * channel has been told that it was raised, or that was given up.
   */
  claimNotices(channels: readonly Channel[]): Promise<readonly ClaimedNotice[]>;
  /** The last problem stays when there is no other. */
  endNotice(claim: NoticeClaim, state: 'DELIVERED' | 'GIVEN_UP', problem: string | null): Promise<void>;
  /** A try that failed: nobody makes another before so many milliseconds have passed. */
  putOffNotice(claim: NoticeClaim, problem: string, pauseMs: number): Promise<void>;
  /** Gives a notice back that was not tried to its end. */
  freeNotice(claim: NoticeClaim): Promise<void>;
}

/** When the heartbeat was last sent, for all nodes together. */
export interface HeartbeatRecords {
  /** True for one of all nodes when it is due: so many milliseconds have passed since the last time. */
  claimHeartbeat(everyMs: number): Promise<boolean>;
  /** What stood in the way of the last one; null for nothing. */
  tellHeartbeat(problem: string | null): Promise<void>;
}
