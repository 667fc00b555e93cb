import { randomUUID, randomUUIDv7 } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Claim, Queue } from '../../packages/engine/src/index.ts';
import { type EngineGround, memoryGround, postgresGround } from './testing/engine-ground.ts';

type AnyGround = EngineGround<unknown>;

const grounds: readonly [string, () => Promise<AnyGround>][] = [
  ['pg-boss on a real PostgreSQL', postgresGround as () => Promise<AnyGround>],
  ['its double in memory', memoryGround as () => Promise<AnyGround>],
];

describe.each(grounds)('the queue: %s', (_, open) => {
  let ground: AnyGround;
  let queue: Queue<unknown>;
  let other: Queue<unknown>;

  beforeEach(async () => {
    ground = await open();
    queue = ground.openQueue();
    other = ground.openQueue();
    await queue.start(['steps']);
    await other.start(['steps']);
  });

  afterEach(async () => {
    await queue.stop();
    await other.stop();
    await ground.close();
  });

  /** Queues a subject for each key, in this order; answers their ids. */
  async function enqueue(...keys: string[]): Promise<string[]> {
    const ids = keys.map(() => randomUUIDv7() as string).sort();
    const entries = keys.map((key, order) => ({ subjectId: ids[order] ?? '', key, order }));
    await ground.journal.transact((trx) => queue.enqueue(trx, 'steps', entries));
    return ids;
  }

  const idsOf = (claims: readonly Claim[]): string[] => claims.map(({ subjectId }) => subjectId);

  async function claimOne(from: Queue<unknown>): Promise<Claim> {
    const [claim] = await from.claim('steps', 1, 'any');
    if (claim === undefined) throw new Error('there is nothing to claim');
    return claim;
  }

  it('gives out the lowest order first, and one subject of a key at a time over all nodes', async () => {
    const [a1, , b1, c1] = await enqueue('a', 'a', 'b', 'c');
    expect(idsOf(await queue.claim('steps', 2, 'any'))).toEqual([a1, b1]);
    expect(idsOf(await other.claim('steps', 9, 'any'))).toEqual([c1]);
    expect(await queue.claim('steps', 9, 'any')).toEqual([]);
  });

  it('gives out the next of a key once the one before is complete', async () => {
    const [first, second] = await enqueue('a', 'a');
    const claim = await claimOne(queue);
    expect(claim.subjectId).toBe(first);
    await queue.complete(claim);
    expect(idsOf(await other.claim('steps', 9, 'any'))).toEqual([second]);
  });

  it('gives out what was given back with a higher attempt, before anything else of its key', async () => {
    const [first] = await enqueue('a', 'a');
    const claim = await claimOne(queue);
    await queue.release(claim);
    expect(await other.claim('steps', 9, 'any')).toEqual([{ queue: 'steps', subjectId: first, attempt: 1 }]);
    expect(claim.attempt).toBe(0);
  });

  it('gives out what was begun alone when only that is asked for', async () => {
    const [first] = await enqueue('a', 'b');
    await queue.release(await claimOne(queue));
    await other.tend();
    expect(idsOf(await other.claim('steps', 9, 'begun'))).toEqual([first]);
    expect(await other.claim('steps', 9, 'begun')).toEqual([]);
  });

  it('takes nothing from a claim that is no longer the node’s', async () => {
    const [first] = await enqueue('a', 'a');
    const stale = await claimOne(queue);
    await queue.release(stale);
    const claim = await claimOne(other);
    await queue.complete(stale);
    await queue.release(stale);
    expect(await queue.renew([stale])).toEqual([]);
    expect(await other.renew([claim])).toEqual([claim]);
    expect(claim.subjectId).toBe(first);
    expect(await queue.claim('steps', 9, 'any')).toEqual([]);
  });

  const putOff = (claim: Claim, afterMs: number): Promise<void> =>
    ground.journal.transact((trx) => queue.putOff(trx, claim, afterMs));

  it('gives out what was put off once its time has come, with a higher attempt, and others of its key meanwhile', async () => {
    const [first, second] = await enqueue('a', 'a');
    await putOff(await claimOne(queue), 700);
    const meanwhile = await claimOne(other);
    expect(meanwhile.subjectId).toBe(second);
    await other.complete(meanwhile);
    expect(await other.claim('steps', 9, 'any')).toEqual([]);
    const later = { queue: 'steps', subjectId: first, attempt: 1 };
    await expect
      .poll(() => other.claim('steps', 9, 'any'), { timeout: 10_000, interval: 50 })
      .toEqual([later]);
  });

  it('does not count what was put off among what was begun, however often it was claimed before', async () => {
    const [first] = await enqueue('a');
    await queue.release(await claimOne(queue));
    await queue.tend();
    await putOff(await claimOne(queue), 0);
    await queue.tend();
    expect(await queue.claim('steps', 9, 'begun')).toEqual([]);
    expect(await queue.claim('steps', 9, 'any')).toEqual([{ queue: 'steps', subjectId: first, attempt: 2 }]);
  });

  it('puts nothing off for who has lost the claim, or whose transaction does not commit', async () => {
    const [first] = await enqueue('a');
    const stale = await claimOne(queue);
    await queue.release(stale);
    const claim = await claimOne(other);
    await putOff(stale, 3_600_000);
    expect(await other.renew([claim])).toEqual([claim]);
    const failing = ground.journal.transact(async (trx) => {
      await other.putOff(trx, claim, 3_600_000);
      throw new Error('no commit');
    });
    await expect(failing).rejects.toThrow('no commit');
    expect(await other.renew([claim])).toEqual([claim]);
    expect(claim.subjectId).toBe(first);
  });

  it('frees what a dead node held, whichever attempt it was', async () => {
    const [first] = await enqueue('a');
    await queue.release(await claimOne(queue));
    await claimOne(queue);
    await other.releaseDead('steps', [first ?? '', randomUUID()]);
    expect(await other.claim('steps', 9, 'any')).toEqual([{ queue: 'steps', subjectId: first, attempt: 2 }]);
  });

  it('keeps a subject that is queued already as it is', async () => {
    const [first = ''] = await enqueue('a');
    const entries = [{ subjectId: first, key: 'b', order: 7 }];
    await ground.journal.transact((trx) => queue.enqueue(trx, 'steps', entries));
    const claim = await claimOne(queue);
    await ground.journal.transact((trx) => queue.enqueue(trx, 'steps', entries));
    expect(await other.claim('steps', 9, 'any')).toEqual([]);
    await queue.complete(claim);
  });

  it('queues nothing when the transaction does not commit', async () => {
    const failing = ground.journal.transact(async (trx) => {
      await queue.enqueue(trx, 'steps', [{ subjectId: randomUUIDv7(), key: 'a', order: 0 }]);
      throw new Error('no commit');
    });
    await expect(failing).rejects.toThrow('no commit');
    expect(await queue.claim('steps', 9, 'any')).toEqual([]);
  });
});
