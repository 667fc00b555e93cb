import type { MemoryTransaction } from '../../../engine/src/testing/memory-database.ts';
import { orphanPolicy } from '../programs/orphan-policy.ts';
import type {
  GuardRecords,
  NewGuard,
  Orphan,
  OrphanClaim,
  OrphanedGuards,
  OrphanTry,
} from '../programs/ports.ts';
import type { RememberedGuard, RememberedRows } from './remembered-rows.ts';

const { leaseMs, parkedMs, underWayMs } = orphanPolicy;

/** For tests: the guards of devices, kept in memory. */
export class RememberedGuards implements GuardRecords<MemoryTransaction>, OrphanedGuards<MemoryTransaction> {
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

  async markRequest(trx: MemoryTransaction, taskId: string, isUnderWay: boolean): Promise<void> {
    const doubtedAt = this.#now() + (isUnderWay ? underWayMs : 0);
    this.#changeOpen(trx, taskId, () => ({ doubtedAt }));
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

  async claimOrphans(nodeId: string, inHand: readonly number[]): Promise<readonly Orphan[]> {
    const now = this.#now();
    const isDue = ({ nextAttemptAt }: RememberedGuard): boolean =>
      nextAttemptAt === null || nextAttemptAt <= now;
    return this.#open()
      .filter((guard) => isDue(guard) && !inHand.includes(guard.guardId))
      .filter((guard) => this.isLeft(guard, parkedMs) && !this.isClaimed(guard))
      .map((guard) => this.#claim(guard, nodeId));
  }

  async claimOrphan(nodeId: string, guardId: number): Promise<Orphan | null> {
    const guard = this.#open().find((one) => one.guardId === guardId);
    if (guard === undefined || !this.isLeft(guard, 0) || this.isClaimed(guard)) return null;
    return this.#claim(guard, nodeId);
  }

  async intendUnquiesce(claim: OrphanClaim): Promise<boolean> {
    const guard = this.#held(claim);
    if (guard !== undefined) guard.sendingAt = this.#now();
    return guard !== undefined;
  }

  async putOffOrphan(claim: OrphanClaim, came: OrphanTry): Promise<void> {
    const { problem, attempts, pauseMs, isInDoubt } = came;
    const now = this.#now();
    const guard = this.#held(claim);
    if (guard === undefined) return;
    Object.assign(guard, unclaimed, { sendingAt: null, problem, attempts, nextAttemptAt: now + pauseMs });
    if (isInDoubt) guard.doubtedAt = now;
  }

  async closeOrphan(trx: MemoryTransaction, claim: OrphanClaim, settleMs: number): Promise<boolean> {
    const guard = this.#held(claim);
    const claimedAt = (guard?.reconciledUntil ?? 0) - leaseMs;
    if (guard === undefined || underWayUntil(guard) > claimedAt - settleMs) return false;
    const releasedAt = this.#now();
    trx.stage(() => Object.assign(guard, unclaimed, { releasedAt, problem: null }));
    return true;
  }

  /** No task undoes it: its task gave up or has ended, or has been parked for so long. */
  isLeft({ taskId, leftAt }: RememberedGuard, longestParkedMs: number): boolean {
    const status = this.#rows.tasks.get(taskId)?.status;
    const parkedAt = this.#rows.parked.get(taskId);
    const isParked = parkedAt !== undefined && parkedAt <= this.#now() - longestParkedMs;
    return leftAt !== null || (status !== 'WAITING' && status !== 'RUNNING') || isParked;
  }

  /** Somebody works on it. */
  isClaimed({ reconciledUntil }: RememberedGuard): boolean {
    return reconciledUntil !== null && reconciledUntil >= this.#now();
  }

  #open(): RememberedGuard[] {
    return this.#rows.guards.filter(({ releasedAt }) => releasedAt === null);
  }

  #held({ guardId, claimId }: OrphanClaim): RememberedGuard | undefined {
    return this.#open().find((guard) => guard.guardId === guardId && guard.claimId === claimId);
  }

  #claim(guard: RememberedGuard, nodeId: string): Orphan {
    const now = this.#now();
    const claimId = String(this.#rows.nextNumber());
    Object.assign(guard, { reconciledBy: nodeId, reconciledUntil: now + leaseMs, claimId });
    guard.leftAt ??= now;
    // Whoever was about to send died or stood still: what it sent may be under way.
    if (guard.sendingAt !== null)
      guard.doubtedAt = Math.max(guard.doubtedAt ?? 0, guard.sendingAt + underWayMs);
    guard.sendingAt = null;
    const { guardId, taskId, device, scope, attempts, problem } = guard;
    const quietMs = now - underWayUntil(guard);
    return { guardId, claimId, taskId, device, scope, attempts, problem, quietMs };
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
}

/** Until when something may have been under way to the device. */
function underWayUntil({ leftAt, doubtedAt }: RememberedGuard): number {
  return Math.max(leftAt ?? 0, doubtedAt ?? 0);
}

const unclaimed = { reconciledBy: null, reconciledUntil: null, claimId: null } as const;

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
