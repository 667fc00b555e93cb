import type { MemoryTransaction } from '../../../engine/src/testing/memory-database.ts';
import {
  type GuardRecords,
  type NewGuard,
  ORPHAN_LEASE_MS,
  type Orphan,
  type OrphanedGuards,
  type OrphanTry,
} from '../programs/ports.ts';
import type { RememberedGuard, RememberedRows } from './remembered-rows.ts';

/** A task that is parked for so long is not waited for. */
const PARKED_MS = 300_000;

/** For tests: the guards of devices, kept in memory. */
export class RememberedGuards implements GuardRecords<MemoryTransaction>, OrphanedGuards {
  readonly #rows: RememberedRows;
  /** Milliseconds since the epoch by the clock of the pretended database, which all nodes share. */
  readonly #now: () => number;
  readonly #opening = new WeakMap<MemoryTransaction, Set<string>>();

  constructor(rows: RememberedRows, now: () => number) {
    this.#rows = rows;
    this.#now = now;
  }

  async openGuard(trx: MemoryTransaction, guard: NewGuard): Promise<void> {
    const opening = this.#opening.get(trx) ?? new Set();
    const isOpen = this.#open().some(({ device }) => device === guard.device);
    if (isOpen || opening.has(guard.device)) {
      throw new Error(`${guard.device} has an open guard already: device_guard_open.`);
    }
    this.#opening.set(trx, opening.add(guard.device));
    const row = { ...structuredClone(guard), guardId: this.#rows.nextNumber(), ...untouched };
    trx.stage(() => this.#rows.guards.push(row));
  }

  async markQuiesced(trx: MemoryTransaction, taskId: string, at: number): Promise<void> {
    this.#changeOpen(trx, taskId, () => ({ quiescedAt: at }));
  }

  async closeGuard(trx: MemoryTransaction, taskId: string, at: number): Promise<void> {
    this.#changeOpen(trx, taskId, () => ({ releasedAt: at }));
  }

  async leaveGuard(trx: MemoryTransaction, taskId: string): Promise<void> {
    const now = this.#now();
    this.#changeOpen(trx, taskId, ({ leftAt }) => ({ leftAt: leftAt ?? now }));
  }

  async isGuardedByOther(device: string, taskId: string): Promise<boolean> {
    return this.#open().some((guard) => guard.device === device && guard.taskId !== taskId);
  }

  async freeOrphans(nodeId: string): Promise<void> {
    for (const guard of this.#open()) if (guard.reconciledBy === nodeId) Object.assign(guard, unclaimed);
  }

  async claimOrphans(nodeId: string): Promise<readonly Orphan[]> {
    const now = this.#now();
    const isDue = ({ nextAttemptAt }: RememberedGuard): boolean =>
      nextAttemptAt === null || nextAttemptAt <= now;
    return this.#open()
      .filter((guard) => isDue(guard) && this.#isFree(guard, PARKED_MS))
      .map((guard) => this.#claim(guard, nodeId));
  }

  async claimOrphan(nodeId: string, guardId: number): Promise<Orphan | null> {
    const guard = this.#open().find((one) => one.guardId === guardId);
    return guard !== undefined && this.#isFree(guard, 0) ? this.#claim(guard, nodeId) : null;
  }

  async intendUnquiesce(nodeId: string, guardId: number): Promise<boolean> {
    return this.#changeHeld(nodeId, guardId, { sendingAt: this.#now() });
  }

  async putOffOrphan(nodeId: string, guardId: number, came: OrphanTry): Promise<void> {
    const { problem, attempts, pauseMs, isInDoubt } = came;
    const now = this.#now();
    this.#changeHeld(nodeId, guardId, {
      ...unclaimed,
      sendingAt: null,
      problem,
      attempts,
      nextAttemptAt: now + pauseMs,
      ...(isInDoubt ? { doubtedAt: now } : {}),
    });
  }

  async closeOrphan(nodeId: string, guardId: number): Promise<boolean> {
    return this.#changeHeld(nodeId, guardId, { releasedAt: this.#now(), problem: null });
  }

  #open(): RememberedGuard[] {
    return this.#rows.guards.filter(({ releasedAt }) => releasedAt === null);
  }

  /** No task undoes it and nobody works on it. */
  #isFree({ taskId, leftAt, reconciledUntil }: RememberedGuard, parkedMs: number): boolean {
    const now = this.#now();
    const status = this.#rows.tasks.get(taskId)?.status;
    const parkedAt = this.#rows.parked.get(taskId);
    const isParked = parkedAt !== undefined && parkedAt <= now - parkedMs;
    const isLeft = leftAt !== null || (status !== 'WAITING' && status !== 'RUNNING') || isParked;
    return isLeft && (reconciledUntil === null || reconciledUntil < now);
  }

  #claim(guard: RememberedGuard, nodeId: string): Orphan {
    const now = this.#now();
    guard.reconciledBy = nodeId;
    guard.reconciledUntil = now + ORPHAN_LEASE_MS;
    guard.leftAt ??= now;
    // Whoever was about to send died or stood still: what it sent may land.
    if (guard.sendingAt !== null) guard.doubtedAt = Math.max(guard.doubtedAt ?? 0, guard.sendingAt);
    guard.sendingAt = null;
    const { guardId, device, scope, attempts, leftAt, doubtedAt } = guard;
    return { guardId, device, scope, attempts, quietMs: now - Math.max(leftAt, doubtedAt ?? 0) };
  }

  #changeOpen(
    trx: MemoryTransaction,
    taskId: string,
    change: (guard: RememberedGuard) => Partial<RememberedGuard>,
  ): void {
    trx.stage(() => {
      const guard = this.#rows.openGuardOf(taskId);
      if (guard !== undefined) Object.assign(guard, change(guard));
    });
  }

  #changeHeld(nodeId: string, guardId: number, change: Partial<RememberedGuard>): boolean {
    const guard = this.#open().find((one) => one.guardId === guardId && one.reconciledBy === nodeId);
    if (guard !== undefined) Object.assign(guard, change);
    return guard !== undefined;
  }
}

const unclaimed = { reconciledBy: null, reconciledUntil: null } as const;

const untouched = {
  ...unclaimed,
  quiescedAt: null,
  releasedAt: null,
  leftAt: null,
  sendingAt: null,
  doubtedAt: null,
  attempts: 0,
  nextAttemptAt: null,
  problem: null,
} as const;
