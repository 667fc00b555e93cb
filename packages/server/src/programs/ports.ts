import type {
  Action,
  DeviceIdentity,
  LeftOutFires,
  Parameters,
  Plan,
  PublishedFile,
  QuiesceScope,
  Reason,
  Reply,
  RunEffect,
  RunSpec,
  RunVerdict,
  TaskCounts,
  TaskEffect,
  TaskSpec,
  TaskToRepeat,
  TaskVerdict,
  UnfinishedRun,
} from '@stillpoint/core';
import type { KnownStore } from '@stillpoint/store';
import type { Store } from '../app/ports.ts';
import type { MoverPool } from '../movers/mover-pool.ts';
import type { HeartbeatRecords, NoticeRecords } from './notice-records.ts';

// What programs record and ask. What takes a transaction takes effect with it or not at all; the rest are operations of
// their own. All instants are in milliseconds since the epoch.

/** All that programs record, for one kind of transaction. */
export type Records<Transaction> = {
  readonly runs: RunRecords<Transaction>;
  readonly tasks: TaskRecords<Transaction>;
  readonly guards: GuardRecords<Transaction> & OrphanedGuards<Transaction>;
  readonly plans: PlanRecords<Transaction>;
  readonly backups: BackupRecords<Transaction>;
  readonly notices: NoticeRecords<Transaction> & HeartbeatRecords;
};

/** The runs, as others read them. */
export interface RunRecords<Transaction> {
  /** Answers its number: runs start in the order of their numbers. */
  insertRun(trx: Transaction, spec: RunSpec): Promise<number>;
  markRun(trx: Transaction, runId: string, status: 'VALIDATING' | 'RUNNING'): Promise<void>;
  /** No further task of the run starts. */
  haltRun(trx: Transaction, runId: string): Promise<void>;
  endRun(trx: Transaction, runId: string, at: number, verdict: RunVerdict): Promise<void>;
  isHalted(runId: string): Promise<boolean>;
  /** Whether every run of its plan that was queued before it has ended. */
  areEarlierRunsOver(runId: string): Promise<boolean>;
}

/** A task that a run has made; one that is skipped has ended with the reason. */
export type NewTask = {
  readonly spec: TaskSpec;
  /** Which activity of the plan it comes from, from 0. */
  readonly activityIndex: number;
  readonly skipped: Reason | null;
};

/** What a task waits for that failed and is tried again. */
export type NextAttempt = {
  /** Its number; the first one was 1. */
  readonly attempt: number;
  /** When it begins, about. */
  readonly at: number;
  /** Why the one before failed. */
  readonly reason: Reason;
};

/** The tasks, as others read them. */
export interface TaskRecords<Transaction> {
  /** Puts tasks in the place of all that the run has; they are numbered in the order given. */
  replaceTasks(trx: Transaction, runId: string, tasks: readonly NewTask[]): Promise<void>;
  /** By number. */
  waitingTasks(
    trx: Transaction,
    runId: string,
  ): Promise<readonly { readonly taskId: string; readonly number: number; readonly device: string }[]>;
  /** The ids of those that wait and, when asked for, of those that run. */
  unfinishedTasks(runId: string, includesRunning: boolean): Promise<readonly string[]>;
  /** What of a run was to be backed up and was not, by number. */
  tasksToRepeat(runId: string): Promise<readonly TaskToRepeat[]>;
  countTasks(runId: string): Promise<TaskCounts>;
  /** Also of a task that has waited for a further attempt; it has started when its first one did. */
  markStarted(trx: Transaction, taskId: string, at: number): Promise<void>;
  /** The task waits again. */
  markPutOff(trx: Transaction, taskId: string, next: NextAttempt): Promise<void>;
  endTask(trx: Transaction, taskId: string, at: number, verdict: TaskVerdict): Promise<void>;
}

/** A device that is about to be quiesced for a task. */
export type NewGuard = {
  readonly device: string;
  readonly taskId: string;
  readonly scope: QuiesceScope;
  readonly intendedAt: number;
};

/** The guards of devices, as their tasks keep them. */
export interface GuardRecords<Transaction> {
  /** Throws, and so ends the transaction, when the device has an open guard already. */
  openGuard(trx: Transaction, guard: NewGuard): Promise<void>;
  /** Says of the open guard of a task, if it has one, since when its device is quiesced. */
  markQuiesced(trx: Transaction, taskId: string, at: number): Promise<void>;
  /**
   * Says of the open guard of a task, if it has one, that an unquiesce of the task is under way or no longer is: while one
   * may land, nobody else closes the guard.
   */
  markRequest(trx: Transaction, taskId: string, isUnderWay: boolean): Promise<void>;
  /** Closes the open guard of a task, if it has one. */
  closeGuard(trx: Transaction, taskId: string, at: number): Promise<void>;
  /** Leaves the open guard of a task, if it has one, to the reconciler. */
  leaveGuard(trx: Transaction, taskId: string): Promise<void>;
  isGuardedByOther(device: string, taskId: string): Promise<boolean>;
}

/** A guard as one claim holds it: another claim has another id, also when the same node makes it. */
export type OrphanClaim = { readonly guardId: number; readonly claimId: string };

/** An open guard that no task undoes any more, held by this node. */
export type Orphan = OrphanClaim & {
  readonly taskId: string;
  readonly device: string;
  readonly scope: QuiesceScope;
  /** How many tries in a row have failed. */
  readonly attempts: number;
  /** What stood in the way of the last one; null for nothing. */
  readonly problem: string | null;
  /** For how long nothing has been under way to the device, in milliseconds; below 0 while something may be. */
  readonly quietMs: number;
};

/** What came of a try that did not close the guard. */
export type OrphanTry = {
  /** What stands in the way; null for nothing. */
  readonly problem: string | null;
  /** A request was sent whose reply never came. */
  readonly isInDoubt: boolean;
  readonly attempts: number;
  /** Nobody tries it before so many milliseconds have passed. */
  readonly pauseMs: number;
};

/**
 * Guards that were left without a living owner: their task has ended or gave up undoing, or has been parked for five
 * minutes. Who claims one holds it for a minute, and what is told under a claim that was lost meanwhile changes nothing.
 * Time is that of the database, for all nodes together.
 */
export interface OrphanedGuards<Transaction> {
  /** Gives back what a process of this node held that is no more. */
  freeOrphans(nodeId: string): Promise<void>;
  /** Takes all that are due and that nobody works on, but for those that this node still has in hand, by their ids. */
  claimOrphans(nodeId: string, inHand: readonly number[]): Promise<readonly Orphan[]>;
  /** Takes one, due or not, also of a task that was parked just now; null when somebody works on it or a task holds it. */
  claimOrphan(nodeId: string, guardId: number): Promise<Orphan | null>;
  /** Records that a request is about to be sent, which may land until its outcome is known; false when the claim was lost. */
  intendUnquiesce(claim: OrphanClaim): Promise<boolean>;
  putOffOrphan(claim: OrphanClaim, came: OrphanTry): Promise<void>;
  /**
   * False when the claim was lost, or when something was under way later than `settleMs` milliseconds before the claim. No
   * fact of its task is written by anybody else until the transaction ends.
   */
  closeOrphan(trx: Transaction, claim: OrphanClaim, settleMs: number): Promise<boolean>;
}

/** A plan whose next fire is to be worked out; `dueAt` is null when none has come and the plan was only changed. */
export type PlanToDecide = {
  readonly planId: string;
  readonly plan: Plan;
  readonly dueAt: number | null;
};

/** Fires of a plan that started no run of their own, as operators are told. */
export type FiresToTell = Pick<LeftOutFires, 'reason' | 'fires' | 'firstAt' | 'lastAt'> & {
  readonly noticedAt: number;
  /** The run that there is instead; null for none. */
  readonly runId: string | null;
};

/** The plans, as the planner works through them. */
export interface PlanRecords<Transaction> {
  /** One that nobody else decides now, kept from others until the transaction ends; null when there is none. */
  nextDuePlan(trx: Transaction, now: number): Promise<PlanToDecide | null>;
  /** Null for never. */
  setNextFire(trx: Transaction, planId: string, at: number | null): Promise<void>;
  /** In the order in which they were queued; a hundred at most. */
  unfinishedRuns(trx: Transaction, planName: string): Promise<readonly UnfinishedRun[]>;
  /** Of fires that were left out because of one and the same run, only the last one is kept apart: they are counted. */
  tellLeftOut(trx: Transaction, planName: string, told: FiresToTell): Promise<void>;
  /** When the schedule last started a run of the plan, by the clock of the node that did; null for never. */
  lastScheduledAt(trx: Transaction, planName: string): Promise<number | null>;
  /** Null when the plan is no longer defined. */
  planIdOf(planName: string): Promise<string | null>;
}

/** A backup that a task has published. */
export type TaskBackup = {
  readonly taskId: string;
  readonly runId: string;
  readonly action: Action;
  readonly device: string;
  /** Null for a secure backup. */
  readonly domain: string | null;
  readonly identity: DeviceIdentity;
  readonly takenAt: number;
  readonly files: readonly PublishedFile[];
};

/** The catalogue of backups, as tasks enter theirs. */
export interface BackupRecords<Transaction> {
  /** Takes the place of what a rescan has entered for the task meanwhile; throws when another backup has one of its paths. */
  enterBackup(trx: Transaction, backup: TaskBackup): Promise<void>;
}

type Exit = Reply<{ readonly exitCode: number }>;

/** The scripts of operators. */
export interface Scripts {
  runPrePlan(spec: RunSpec, planId: string, signal: AbortSignal): Promise<Exit>;
  runPostPlan(
    spec: RunSpec,
    planId: string,
    end: Extract<RunEffect, { type: 'runPostScript' }>,
    signal: AbortSignal,
  ): Promise<Exit>;
  runPreTask(spec: TaskSpec, signal: AbortSignal): Promise<Exit>;
  runPostTask(
    spec: TaskSpec,
    end: Extract<TaskEffect, { type: 'runPostScript' }>,
    signal: AbortSignal,
  ): Promise<Exit>;
}

/** The store, as tasks need it: whether it is there, and where for those who write to it. */
export interface TargetStore extends Pick<Store, 'check'> {
  locate(parameters: Parameters): Promise<Reply<KnownStore>>;
}

/** Who makes the file calls on the store. */
export type Movers = Pick<MoverPool, 'order'>;
