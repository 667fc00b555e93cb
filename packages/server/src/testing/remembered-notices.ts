import { type Channel, noticePolicy } from '@stillpoint/core';
import type { MemoryTransaction } from '../../../engine/src/testing/memory-database.ts';
import type { RunDigest, TaskProblem } from '../app/notifier.ts';
import { digestOfRun, digestPolicy } from '../programs/digest-of-run.ts';
import {
  type ClaimedNotice,
  type HeartbeatRecords,
  type NoticeClaim,
  type NoticeRecords,
  noticeLeaseMs,
} from '../programs/notice-records.ts';
import type { RememberedNotice, RememberedRows, RememberedTask } from './remembered-rows.ts';

/** For tests: the notices, kept in memory. */
export class RememberedNotices implements NoticeRecords<MemoryTransaction>, HeartbeatRecords {
  readonly #rows: RememberedRows;
  /** Milliseconds since the epoch by the clock of the pretended database, which all nodes share. */
  readonly #now: () => number;

  constructor(rows: RememberedRows, now: () => number) {
    this.#rows = rows;
    this.#now = now;
  }

  async enterDigests(trx: MemoryTransaction, runId: string, channels: readonly Channel[]): Promise<void> {
    const now = this.#now();
    // When the transaction is kept: what it wrote of the run and its tasks stands by then.
    trx.stage(() => {
      const content = this.#digestOf(runId);
      for (const channel of channels) this.#enter({ channel, subjectId: runId, content }, now);
    });
  }

  async claimNotices(channels: readonly Channel[]): Promise<readonly ClaimedNotice[]> {
    const now = this.#now();
    const claimed: ClaimedNotice[] = [];
    for (const channel of channels) {
      const [notice] = this.#rows.notices
        .filter((one) => one.channel === channel && one.state === 'WAITING' && this.#isFree(one))
        .toSorted((one, other) => one.nextTryAt - other.nextTryAt || one.number - other.number);
      if (notice === undefined) continue;
      const claimId = `claim ${this.#rows.nextNumber()}`;
      Object.assign(notice, { claimId, claimedUntil: now + noticeLeaseMs });
      const { noticeId, content, createdAt, attempts, waitingSince } = notice;
      const waitedMs = Math.max(0, now - waitingSince);
      claimed.push({ noticeId, claimId, channel, content, createdAt, attempts, waitedMs });
    }
    return claimed;
  }

  async endNotice(
    claim: NoticeClaim,
    state: 'DELIVERED' | 'GIVEN_UP',
    problem: string | null,
  ): Promise<void> {
    this.#change(claim, (notice) => ({
      state,
      attempts: notice.attempts + 1,
      endedAt: this.#now(),
      problem: problem ?? notice.problem,
    }));
  }

  async putOffNotice(claim: NoticeClaim, problem: string, pauseMs: number): Promise<void> {
    this.#change(claim, ({ attempts }) => ({
      attempts: attempts + 1,
      problem,
      nextTryAt: this.#now() + pauseMs,
    }));
  }

  async freeNotice(claim: NoticeClaim): Promise<void> {
    this.#change(claim, () => ({}));
  }

  async claimHeartbeat(everyMs: number): Promise<boolean> {
    const now = this.#now();
    const { heartbeat } = this.#rows;
    if (heartbeat.sentAt !== null && heartbeat.sentAt > now - everyMs && heartbeat.sentAt <= now)
      return false;
    heartbeat.sentAt = now;
    return true;
  }

  async tellHeartbeat(problem: string | null): Promise<void> {
    const { heartbeat } = this.#rows;
    heartbeat.problem = problem;
    heartbeat.failingSince = problem === null ? null : (heartbeat.failingSince ?? this.#now());
  }

  #isFree({ nextTryAt, claimedUntil }: RememberedNotice): boolean {
    const now = this.#now();
    const isDue = nextTryAt <= now || nextTryAt > now + noticePolicy.longestPauseMs;
    return isDue && (claimedUntil === null || claimedUntil < now || claimedUntil > now + noticeLeaseMs);
  }

  #enter(told: Pick<RememberedNotice, 'channel' | 'subjectId' | 'content'>, now: number): void {
    const isToldAlready = this.#rows.notices.some(
      ({ channel, subjectId, content }) =>
        channel === told.channel && subjectId === told.subjectId && content.event === told.content.event,
    );
    if (isToldAlready) return;
    const number = this.#rows.nextNumber();
    this.#rows.notices.push({
      ...told,
      noticeId: `notice ${number}`,
      number,
      createdAt: now,
      state: 'WAITING',
      attempts: 0,
      problem: null,
      waitingSince: now,
      nextTryAt: now,
      endedAt: null,
      claimId: null,
      claimedUntil: null,
    });
  }

  #digestOf(runId: string): RunDigest {
    const run = this.#rows.runs.get(runId);
    if (run === undefined || run.endedAt === null) throw new Error(`The run ${runId} has not ended.`);
    const { spec, reason, warnings, endedAt } = run;
    const status = run.status as RunDigest['status'];
    const tasks = [...this.#rows.tasks.values()].filter((task) => task.spec.runId === runId);
    const count = (wanted: RememberedTask['status']): number =>
      tasks.filter((task) => task.status === wanted).length;
    const counts = {
      succeeded: count('SUCCEEDED'),
      failed: count('FAILED'),
      cancelled: count('CANCELLED'),
      skipped: count('SKIPPED'),
    };
    const problems = digestPolicy.order.flatMap((wanted) =>
      tasks.filter((task) => task.status === wanted).map((task) => problemOf(task, wanted)),
    );
    const told = problems.slice(0, digestPolicy.problems);
    return digestOfRun(spec, { status, reason, warnings }, endedAt, counts, told);
  }

  #change(
    { noticeId, claimId }: NoticeClaim,
    changed: (notice: RememberedNotice) => Partial<RememberedNotice>,
  ): void {
    const notice = this.#rows.notices.find((one) => one.noticeId === noticeId && one.claimId === claimId);
    if (notice !== undefined) Object.assign(notice, { claimId: null, claimedUntil: null }, changed(notice));
  }
}

function problemOf({ spec, reason }: RememberedTask, status: TaskProblem['status']): TaskProblem {
  return { device: spec.device, domain: spec.domain, status, reason };
}
