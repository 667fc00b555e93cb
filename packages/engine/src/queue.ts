/**
 * A subject that this node has claimed. `attempt` grows with every claim of the same subject, whoever makes it, so it
 * tells a claim from those before and after it.
 */
export type Claim = { readonly queue: string; readonly subjectId: string; readonly attempt: number };

/**
 * A subject that is to be driven. Subjects of one key are worked on one at a time; of those enqueued together the lowest
 * `subjectId` comes first, over all keys the lowest `order`, so the two must agree.
 */
export type QueueEntry = { readonly subjectId: string; readonly key: string; readonly order: number };

/** A claim that was not renewed for this long is given to somebody else. */
export const LEASE_SECONDS = 10;

/** Who drives what: over all nodes, at most one subject of a key is claimed at any time. */
export interface Queue<Transaction> {
  start(queues: readonly string[]): Promise<void>;
  /** Queues subjects in a transaction; one that is queued already stays as it is. */
  enqueue(trx: Transaction, queue: string, entries: readonly QueueEntry[]): Promise<void>;
  /**
   * Claims up to `count` subjects, none of which shares its key with one that is claimed already; with `begun` only such
   * as were claimed before and given back or lost, but not put off.
   */
  claim(queue: string, count: number, which: 'any' | 'begun'): Promise<Claim[]>;
  /** Renews claims of one queue for another lease; answers those that are still this node's. */
  renew(claims: readonly Claim[]): Promise<Claim[]>;
  /** The subject has ended; nothing happens when the claim is no longer this node's. */
  complete(claim: Claim): Promise<void>;
  /** Gives a claim back, to be taken over at once; nothing happens when it is no longer this node's. */
  release(claim: Claim): Promise<void>;
  /**
   * Ends a claim in a transaction, and puts its subject back to be claimed again after so many milliseconds; meanwhile
   * others of its key are given out. Nothing happens when the claim is no longer this node's. The wait is cut short rather
   * than stretched: by a clock of the database that was set, never by more than was asked for.
   */
  putOff(trx: Transaction, claim: Claim, afterMs: number): Promise<void>;
  /** Frees what a node held that is known to be dead, whichever attempt it was. */
  releaseDead(queue: string, subjectIds: readonly string[]): Promise<void>;
  /**
   * To be called every few seconds: whatever the clocks did meanwhile, claims that were lost and subjects that wait are
   * given out.
   */
  tend(): Promise<void>;
  stop(): Promise<void>;
}
