import type { QuiesceScope } from '@stillpoint/core';
import type { NewGuard, Orphan, OrphanTry, Records } from '@stillpoint/server';
import type { MemoryTransaction } from '../../../packages/engine/src/testing/memory-database.ts';

/** An open guard is worked on for so long by who claimed it; then by whoever claims it next. */
const ORPHAN_LEASE_MS = 60_000;
/** A task that is parked for so long is not waited for. */
const PARKED_MS = 300_000;

/** A guard as it is kept; instants by the clock of the database. */
export type GuardRow = {
  readonly id: number;
  readonly device: string;
  readonly taskId: string;
  readonly scope: QuiesceScope;
  readonly openedAt: number;
  releasedAt: number | null;
  leftAt: number | null;
  doubtedAt: number;
  sendingAt: number | null;
  reconciledBy: string | null;
  reconciledUntil: number;
  nextAttemptAt: number;
  attempts: number;
};

/** Guards in memory, with the behaviour of the real ones. */
export class MemoryGuards {
  /** Grows with whatever changes. */
  version = 0;
  readonly rows: GuardRow[] = [];
  readonly #now: () => number;
  readonly #hasEnded: (taskId: string) => boolean;
  readonly #parkedSince: (taskId: string) => number | null;

  constructor(
    now: () => number,
    hasEnded: (taskId: string) => boolean,
    parkedSince: (taskId: string) => number | null,
  ) {
    this.#now = now;
    this.#hasEnded = hasEnded;
    this.#parkedSince = parkedSince;
  }

  get open(): readonly GuardRow[] {
    return this.rows.filter(({ releasedAt }) => releasedAt === null);
  }

  /** Whether no task that goes on undoes it. */
  isLeft({ leftAt, taskId }: GuardRow, parkedMs = PARKED_MS): boolean {
    const parkedSince = this.#parkedSince(taskId);
    const isParked = parkedSince !== null && this.#now() - parkedSince >= parkedMs;
    return leftAt !== null || this.#hasEnded(taskId) || isParked;
  }

  readonly records: Records<MemoryTransaction>['guards'] = {
    openGuard: async (trx, guard) => this.#openGuard(trx, guard),
    markQuiesced: async () => {},
    closeGuard: async (trx, taskId) => {
      trx.stage(() => {
        const row = this.open.find((guard) => guard.taskId === taskId);
        if (row !== undefined) this.#release(row);
      });
    },
    leaveGuard: async (trx, taskId) => {
      trx.stage(() => {
        const row = this.open.find((guard) => guard.taskId === taskId);
        if (row !== undefined) row.leftAt ??= this.#now();
        this.version += 1;
      });
    },
    isGuardedByOther: async (device, taskId) =>
      this.open.some((guard) => guard.device === device && guard.taskId !== taskId),
    freeOrphans: async (nodeId) => {
      for (const row of this.open) if (row.reconciledBy === nodeId) this.#free(row);
    },
    claimOrphans: async (nodeId) =>
      this.open
        .filter((row) => this.#isFree(row) && this.isLeft(row) && row.nextAttemptAt <= this.#now())
        .map((row) => this.#claim(row, nodeId)),
    claimOrphan: async (nodeId, guardId) => {
      const row = this.open.find(({ id }) => id === guardId);
      return row !== undefined && this.#isFree(row) && this.isLeft(row, 0) ? this.#claim(row, nodeId) : null;
    },
    intendUnquiesce: async (nodeId, guardId) => {
      const row = this.#held(nodeId, guardId);
      if (row !== undefined) row.sendingAt = this.#now();
      return row !== undefined;
    },
    putOffOrphan: async (nodeId, guardId, came) => this.#putOff(nodeId, guardId, came),
    closeOrphan: async (nodeId, guardId) => {
      const row = this.#held(nodeId, guardId);
      if (row !== undefined) this.#release(row);
      return row !== undefined;
    },
  };

  #openGuard(trx: MemoryTransaction, { device, taskId, scope }: NewGuard): void {
    if (this.open.some((guard) => guard.device === device))
      throw new Error(`${device} has an open guard already.`);
    trx.stage(() => {
      this.version += 1;
      this.rows.push({
        id: this.rows.length + 1,
        device,
        taskId,
        scope,
        openedAt: this.#now(),
        releasedAt: null,
        leftAt: null,
        doubtedAt: 0,
        sendingAt: null,
        reconciledBy: null,
        reconciledUntil: 0,
        nextAttemptAt: 0,
        attempts: 0,
      });
    });
  }

  #putOff(nodeId: string, guardId: number, { isInDoubt, attempts, pauseMs }: OrphanTry): void {
    const row = this.#held(nodeId, guardId);
    if (row === undefined) return;
    this.#free(row);
    row.sendingAt = null;
    row.attempts = attempts;
    row.nextAttemptAt = this.#now() + pauseMs;
    if (isInDoubt) row.doubtedAt = this.#now();
  }

  #held(nodeId: string, guardId: number): GuardRow | undefined {
    return this.open.find(({ id, reconciledBy }) => id === guardId && reconciledBy === nodeId);
  }

  #isFree({ reconciledBy, reconciledUntil }: GuardRow): boolean {
    return reconciledBy === null || reconciledUntil < this.#now();
  }

  #claim(row: GuardRow, nodeId: string): Orphan {
    const now = this.#now();
    row.reconciledBy = nodeId;
    row.reconciledUntil = now + ORPHAN_LEASE_MS;
    row.leftAt ??= now;
    row.doubtedAt = Math.max(row.doubtedAt, row.sendingAt ?? 0);
    row.sendingAt = null;
    this.version += 1;
    const { id: guardId, device, scope, attempts } = row;
    return { guardId, device, scope, attempts, quietMs: now - Math.max(row.leftAt, row.doubtedAt) };
  }

  #free(row: GuardRow): void {
    row.reconciledBy = null;
    row.reconciledUntil = 0;
    this.version += 1;
  }

  #release(row: GuardRow): void {
    row.releasedAt = this.#now();
    this.version += 1;
  }
}
