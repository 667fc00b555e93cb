import type { Channel, QuiesceScope, Reason, RunSpec, RunVerdict, TaskVerdict } from '@stillpoint/core';
import type { NoticeContent } from '../app/notifier.ts';
import type { FiresToTell, NewTask, TaskBackup } from '../programs/ports.ts';

/** For tests: a run as it is remembered; instants in milliseconds since the epoch. */
export type RememberedRun = {
  readonly spec: RunSpec;
  readonly number: number;
  status: 'QUEUED' | 'VALIDATING' | 'RUNNING' | RunVerdict['status'];
  reason: Reason | null;
  warnings: readonly Reason[];
  isHalted: boolean;
  endedAt: number | null;
};

/** For tests: a task as it is remembered. */
export type RememberedTask = NewTask & {
  readonly number: number;
  status: 'WAITING' | 'RUNNING' | 'SKIPPED' | TaskVerdict['status'];
  reason: Reason | null;
  warnings: readonly Reason[];
  attempt: number;
  nextAttemptAt: number | null;
  startedAt: number | null;
  endedAt: number | null;
};

/** For tests: a guard as it is remembered; what the reconciler keeps is by the clock of the pretended database. */
export type RememberedGuard = {
  readonly guardId: number;
  readonly device: string;
  readonly taskId: string;
  readonly scope: QuiesceScope;
  readonly intendedAt: number;
  quiescedAt: number | null;
  releasedAt: number | null;
  leftAt: number | null;
  reconciledBy: string | null;
  reconciledUntil: number | null;
  claimId: string | null;
  sendingAt: number | null;
  doubtedAt: number | null;
  attempts: number;
  nextAttemptAt: number | null;
  problem: string | null;
};

/** For tests: a notice as it is remembered; instants by the clock of the pretended database. */
export type RememberedNotice = {
  readonly noticeId: string;
  readonly number: number;
  readonly channel: Channel;
  readonly subjectId: string;
  readonly content: NoticeContent;
  readonly createdAt: number;
  state: 'WAITING' | 'DELIVERED' | 'GIVEN_UP';
  attempts: number;
  problem: string | null;
  waitingSince: number;
  nextTryAt: number;
  endedAt: number | null;
  claimId: string | null;
  claimedUntil: number | null;
};

/** For tests: what the doubles of the records share, as the real ones share a database. */
export class RememberedRows {
  readonly runs = new Map<string, RememberedRun>();
  /** In the order of their numbers. */
  readonly tasks = new Map<string, RememberedTask>();
  readonly guards: RememberedGuard[] = [];
  readonly leftOut: (FiresToTell & { readonly planName: string })[] = [];
  readonly notices: RememberedNotice[] = [];
  readonly heartbeat: { sentAt: number | null; failingSince: number | null; problem: string | null } = {
    sentAt: null,
    failingSince: null,
    problem: null,
  };
  /** By task. */
  readonly backups = new Map<string, TaskBackup & { readonly planName: string | null }>();
  /** The tasks that do not go on at the moment, and since when by the clock of the pretended database. */
  readonly parked = new Map<string, number>();
  #number = 0;

  /** Like the numbers of a database: one that was given out and not kept leaves a gap. */
  nextNumber(): number {
    this.#number += 1;
    return this.#number;
  }

  openGuardOf(taskId: string): RememberedGuard | undefined {
    return this.guards.find((guard) => guard.taskId === taskId && guard.releasedAt === null);
  }
}
