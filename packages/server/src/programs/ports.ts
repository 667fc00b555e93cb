import type { QuiesceScope } from '@stillpoint/core';

/** An open guard of a task that has ended, held by this node; `endedAt` in milliseconds since the epoch. */
export type Orphan = {
  readonly guardId: number;
  readonly device: string;
  readonly scope: QuiesceScope;
  /** Null when nobody knows. */
  readonly endedAt: number | null;
};

/** Guards that were left without a living owner; every method is one operation of its own. */
export interface OrphanedGuards {
  /** Takes all that no other node works on, for a minute; instants in milliseconds since the epoch. */
  claimOrphans(nodeId: string, now: number): Promise<readonly Orphan[]>;
  /** Says what stands in the way; null for nothing. */
  noteProblem(guardId: number, problem: string | null): Promise<void>;
  closeOrphan(guardId: number, at: number): Promise<void>;
}
