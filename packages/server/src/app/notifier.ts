import type { Fault, Reason, RunTrigger, RunVerdict } from '@stillpoint/core';

/** A task that did not succeed, as a digest tells of it. */
export type TaskProblem = {
  readonly device: string;
  /** Null for a secure backup. */
  readonly domain: string | null;
  readonly status: 'FAILED' | 'CANCELLED' | 'SKIPPED';
  readonly reason: Reason | null;
};

/** What a run came to; instants are milliseconds since the epoch. */
export type RunDigest = {
  readonly event: 'RUN_ENDED';
  readonly runId: string;
  readonly plan: string;
  readonly trigger: RunTrigger;
  readonly status: RunVerdict['status'];
  readonly reason: Reason | null;
  readonly warnings: readonly Reason[];
  readonly queuedAt: number;
  readonly endedAt: number;
  readonly counts: {
    readonly succeeded: number;
    readonly failed: number;
    readonly cancelled: number;
    readonly skipped: number;
  };
  /** Those that failed first; of many only the first. */
  readonly problems: readonly TaskProblem[];
  /** How many more tasks did not succeed. */
  readonly moreProblems: number;
};

/** An alarm that opened or closed; instants are milliseconds since the epoch. */
export type AlarmChange = {
  readonly event: 'ALARM_RAISED' | 'ALARM_CLEARED';
  readonly alarmId: string;
  readonly code: string;
  readonly subject: { readonly kind: string; readonly name: string };
  readonly sentence: string;
  readonly lastProblem: string | null;
  readonly openedAt: number;
  readonly closedAt: number | null;
};

/** What somebody wants to see arrive. */
export type TestContent = { readonly event: 'TEST' };

/** What a notice tells of; kept as JSON. */
export type NoticeContent = RunDigest | AlarmChange | TestContent;

/** A notice as a channel is given it: the same at every try. */
export type NoticeToSend = {
  /** By which receivers can tell a notice that came twice. */
  readonly noticeId: string;
  /** When it was made, in milliseconds since the epoch. */
  readonly createdAt: number;
  readonly content: NoticeContent;
};

/** What came of a try to send a notice. */
export type Sent =
  /** The remark says who among several was not reached; null when all were. */
  | { readonly ok: true; readonly remark: string | null }
  | {
      readonly ok: false;
      readonly fault: Fault;
      /** How long the receiver asked to be left alone, in milliseconds; null when it did not. */
      readonly askedPauseMs: number | null;
    };

/** Sends notices by one channel. */
export interface Notifier {
  /**
   * Sends one notice as the parameters are now, and answers, never throws, for what the world does. The signal gives it up;
   * whatever comes of it, nothing stays open.
   */
  send(notice: NoticeToSend, signal: AbortSignal): Promise<Sent>;
}
