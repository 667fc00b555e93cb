import type { Claim, Queue, QueueEntry } from '@stillpoint/engine';
import type { MemoryTransaction } from '../../../packages/engine/src/testing/memory-database.ts';

/** Who has claimed a subject, and when the database heard of it last. */
export type Holding = {
  readonly claim: Claim;
  readonly key: string;
  readonly node: string;
  heardOfAt: number;
};

/** All claims, as the database knows them. */
export class Holdings {
  readonly bySubject = new Map<string, Holding>();
  readonly keys = new Map<string, string>();

  heldBy(node: string): Holding[] {
    return [...this.bySubject.values()].filter((holding) => holding.node === node);
  }
}

/** The queue as one node claims from it, with a list of who holds what. */
export class ObservedQueue implements Queue<MemoryTransaction> {
  readonly #queue: Queue<MemoryTransaction>;
  readonly #node: string;
  readonly #holdings: Holdings;
  readonly #now: () => number;

  constructor(queue: Queue<MemoryTransaction>, node: string, holdings: Holdings, now: () => number) {
    this.#queue = queue;
    this.#node = node;
    this.#holdings = holdings;
    this.#now = now;
  }

  start(queues: readonly string[]): Promise<void> {
    return this.#queue.start(queues);
  }

  stop(): Promise<void> {
    return this.#queue.stop();
  }

  async enqueue(trx: MemoryTransaction, queue: string, entries: readonly QueueEntry[]): Promise<void> {
    for (const { subjectId, key } of entries) this.#holdings.keys.set(subjectId, key);
    await this.#queue.enqueue(trx, queue, entries);
  }

  tend(): Promise<void> {
    return this.#queue.tend();
  }

  async claim(queue: string, count: number, which: 'any' | 'begun'): Promise<Claim[]> {
    const claims = await this.#queue.claim(queue, count, which);
    for (const claim of claims) {
      const key = this.#holdings.keys.get(claim.subjectId) ?? '';
      const holding = { claim, key, node: this.#node, heardOfAt: this.#now() };
      this.#holdings.bySubject.set(claim.subjectId, holding);
    }
    return claims;
  }

  async renew(claims: readonly Claim[]): Promise<Claim[]> {
    const kept = await this.#queue.renew(claims);
    for (const { subjectId } of kept) {
      const holding = this.#holdings.bySubject.get(subjectId);
      if (holding !== undefined) holding.heardOfAt = this.#now();
    }
    return kept;
  }

  async complete(claim: Claim): Promise<void> {
    this.#forget(claim);
    await this.#queue.complete(claim);
  }

  async release(claim: Claim): Promise<void> {
    this.#forget(claim);
    await this.#queue.release(claim);
  }

  async putOff(trx: MemoryTransaction, claim: Claim, afterMs: number): Promise<void> {
    trx.stage(() => this.#forget(claim));
    await this.#queue.putOff(trx, claim, afterMs);
  }

  async releaseDead(queue: string, subjectIds: readonly string[]): Promise<void> {
    for (const id of subjectIds) this.#holdings.bySubject.delete(id);
    await this.#queue.releaseDead(queue, subjectIds);
  }

  #forget({ subjectId, attempt }: Claim): void {
    const holding = this.#holdings.bySubject.get(subjectId);
    if (holding?.claim.attempt === attempt) this.#holdings.bySubject.delete(subjectId);
  }
}
