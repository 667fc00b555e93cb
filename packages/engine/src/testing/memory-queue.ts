import { type Claim, LEASE_SECONDS, type Queue, type QueueEntry } from '../queue.ts';
import type { MemoryTransaction } from './memory-database.ts';

type Entry = QueueEntry & {
  readonly queue: string;
  state: 'waiting' | 'claimed' | 'released';
  attempt: number;
  heardOfAt: number;
  /** What was put off is given out from here on, as the next attempt. */
  putOffUntil: number | null;
};

/** A queue in memory, with the behaviour of the real one; one object serves all nodes. */
export class MemoryQueue implements Queue<MemoryTransaction> {
  /** Milliseconds since some instant, by the clock of the pretended database. */
  readonly #elapsed: () => number;
  readonly #entries = new Map<string, Entry>();

  constructor(elapsed: () => number) {
    this.#elapsed = elapsed;
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {}

  async enqueue(trx: MemoryTransaction, queue: string, entries: readonly QueueEntry[]): Promise<void> {
    trx.stage(() => {
      for (const entry of entries) {
        if (this.#entries.has(entry.subjectId)) continue;
        const fresh = {
          ...entry,
          queue,
          state: 'waiting',
          attempt: 0,
          heardOfAt: 0,
          putOffUntil: null,
        } as const;
        this.#entries.set(entry.subjectId, { ...fresh });
      }
    });
  }

  async tend(): Promise<void> {}

  async claim(queue: string, count: number, which: 'any' | 'begun'): Promise<Claim[]> {
    this.#expire();
    const open = [...this.#entries.values()]
      .filter((entry) => entry.queue === queue && (entry.putOffUntil ?? 0) <= this.#elapsed())
      .sort(firstToStart);
    const busy = new Set(open.filter(({ state }) => state === 'claimed').map(({ key }) => key));
    const claims: Claim[] = [];
    for (const entry of open) {
      if (claims.length >= count) break;
      if (busy.has(entry.key)) continue;
      if (which === 'begun' && entry.state !== 'released') continue;
      // One that was given back blocks its key until it is taken over.
      busy.add(entry.key);
      if (entry.state === 'released' || entry.putOffUntil !== null) entry.attempt += 1;
      entry.putOffUntil = null;
      entry.state = 'claimed';
      entry.heardOfAt = this.#elapsed();
      claims.push({ queue, subjectId: entry.subjectId, attempt: entry.attempt });
    }
    return claims;
  }

  async renew(claims: readonly Claim[]): Promise<Claim[]> {
    return claims.filter((claim) => {
      const entry = this.#claimedBy(claim);
      if (entry !== undefined) entry.heardOfAt = this.#elapsed();
      return entry !== undefined;
    });
  }

  async complete(claim: Claim): Promise<void> {
    if (this.#claimedBy(claim) !== undefined) this.#entries.delete(claim.subjectId);
  }

  async release(claim: Claim): Promise<void> {
    const entry = this.#claimedBy(claim);
    if (entry !== undefined) entry.state = 'released';
  }

  async putOff(trx: MemoryTransaction, claim: Claim, afterMs: number): Promise<void> {
    trx.stage(() => {
      const entry = this.#claimedBy(claim);
      if (entry === undefined) return;
      entry.state = 'waiting';
      entry.putOffUntil = this.#elapsed() + afterMs;
    });
  }

  async releaseDead(_queue: string, subjectIds: readonly string[]): Promise<void> {
    for (const id of subjectIds) {
      const entry = this.#entries.get(id);
      if (entry?.state === 'claimed') entry.state = 'released';
    }
  }

  #claimedBy({ subjectId, attempt }: Claim): Entry | undefined {
    const entry = this.#entries.get(subjectId);
    return entry?.state === 'claimed' && entry.attempt === attempt ? entry : undefined;
  }

  #expire(): void {
    for (const entry of this.#entries.values()) {
      const isLost = this.#elapsed() - entry.heardOfAt > LEASE_SECONDS * 1000;
      if (entry.state === 'claimed' && isLost) entry.state = 'released';
    }
  }
}

/** What was given back comes before what waits, whatever its order: it blocks its key. */
function firstToStart(one: Entry, other: Entry): number {
  if (one.state !== other.state) return one.state === 'waiting' ? 1 : -1;
  return one.order - other.order || (one.subjectId < other.subjectId ? -1 : 1);
}
