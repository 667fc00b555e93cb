import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Engine, type EngineOptions } from './engine.ts';
import type { AnyProgram, Fact, Program } from './program.ts';
import { ManualClock } from './testing/manual-clock.ts';
import { MemoryDatabase, type MemoryTransaction } from './testing/memory-database.ts';
import { MemoryJournal } from './testing/memory-journal.ts';
import { MemoryQueue } from './testing/memory-queue.ts';

type State = { readonly isSettled: boolean };

/** Lets everything that is due by promises alone come to rest. */
const rest = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a node that may have lost its claims', () => {
  let clock: ManualClock;
  let journal: MemoryJournal;
  let queue: MemoryQueue;
  let settle: () => void;
  let signals: AbortSignal[];
  let isDatabaseAway: boolean;
  const engines: Engine<MemoryTransaction>[] = [];

  const program: Program<object, State, MemoryTransaction> = {
    name: 'steps',
    begin: () => ({ isSettled: false }),
    evolve: (state, fact) => (fact.type === 'settled' ? { isSettled: true } : state),
    next: ({ isSettled }) =>
      isSettled ? { kind: 'finish', verdict: 'done' } : { kind: 'do', effect: { type: 'step' } },
    isLook: () => false,
    isNews: () => true,
    isGivenUp: () => false,
    perform: (_effect, _state, { signal }) => {
      signals.push(signal);
      return new Promise((resolve) => {
        settle = () => resolve({ ok: true, value: null });
      });
    },
    project: async () => undefined,
  };

  beforeEach(() => {
    clock = new ManualClock();
    journal = new MemoryJournal(new MemoryDatabase());
    queue = new MemoryQueue(() => clock.elapsed());
    signals = [];
    isDatabaseAway = false;
  });

  afterEach(async () => {
    for (const engine of engines.splice(0)) {
      const stopped = engine.stop();
      settle?.();
      await stopped;
    }
  });

  async function startEngine(
    nodeId: string,
    options: Partial<EngineOptions<MemoryTransaction>> = {},
  ): Promise<Engine<MemoryTransaction>> {
    const programs = [{ program: program as AnyProgram<MemoryTransaction>, parallel: () => 4 }];
    const engine = new Engine({ journal, queue, clock, nodeId, programs, beat, ...options });
    engines.push(engine);
    await engine.start();
    return engine;
  }

  const beat = async (): Promise<void> => {
    if (isDatabaseAway) throw new Error('the database is away');
  };

  async function submit(engine: Engine<MemoryTransaction>, id: string): Promise<void> {
    await engine.transact(async (trx) => {
      await engine.create(trx, 'steps', [{ id, spec: {} }]);
      await engine.enqueue(trx, 'steps', [{ subjectId: id, key: id, order: 1 }]);
    });
    engine.lookForWork();
    await rest();
  }

  async function types(id: string): Promise<Fact['type'][]> {
    return (await journal.factsAfter(null, id, 0)).map(({ type }) => type);
  }

  it('fences itself after 0.7 of the lease without its beat, and opens again with it', async () => {
    const engine = await startEngine('a');
    isDatabaseAway = true;
    for (let seconds = 0; seconds < 7; seconds += 1) {
      clock.pass(1000);
      await rest();
      expect(engine.isFenced()).toBe(false);
    }
    clock.pass(1);
    expect(engine.isFenced()).toBe(true);
    isDatabaseAway = false;
    clock.pass(2000);
    await rest();
    expect(engine.isFenced()).toBe(false);
  });

  it('has what it lost aborted before it opens again after it stood still', async () => {
    const frozen = await startEngine('a');
    await submit(frozen, 'subject');
    const problems: Error[] = [];
    frozen.on('problem', (error) => problems.push(error));
    clock.standStill(11_000);
    expect(await queue.claim('steps', 1, 'any')).toEqual([
      { queue: 'steps', subjectId: 'subject', attempt: 1 },
    ]);
    expect(frozen.isFenced()).toBe(true);
    clock.pass(1);
    await rest();
    expect(signals[0]?.aborted).toBe(true);
    settle();
    await rest();
    expect(await types('subject')).toEqual(['intended']);
    expect(problems).toEqual([]);
  });

  it('has what it does aborted in time when the database neither answers nor breaks', async () => {
    const engine = await startEngine('a');
    await submit(engine, 'subject');
    const answer = Promise.withResolvers<[]>();
    queue.renew = () => answer.promise;
    for (let seconds = 0; seconds < 9; seconds += 1) {
      clock.pass(1_000);
      await rest();
    }
    expect(engine.isFenced()).toBe(true);
    expect(signals[0]?.aborted).toBe(true);
    answer.resolve([]);
  });

  it('does not take hold of what it claimed before it stood still', async () => {
    const answer = Promise.withResolvers<void>();
    const claim = queue.claim.bind(queue);
    queue.claim = async (name, count, which) => {
      const claims = await claim(name, count, which);
      if (claims.length > 0) await answer.promise;
      return claims;
    };
    const engine = await startEngine('a');
    await submit(engine, 'subject');
    clock.standStill(11_000);
    answer.resolve();
    await rest();
    expect(await types('subject')).toEqual([]);
    expect(signals).toEqual([]);
  });

  it('takes over what was begun elsewhere and lost, with both hands full or draining, and begins nothing new', async () => {
    const engine = await startEngine('a', {
      programs: [{ program: program as AnyProgram<MemoryTransaction>, parallel: () => 0 }],
    });
    await submit(engine, 'lost');
    const [claim] = await queue.claim('steps', 1, 'any');
    if (claim === undefined) throw new Error('there is nothing to claim');
    await submit(engine, 'new');
    await queue.release(claim);
    await engine.drain();
    clock.pass(500);
    await rest();
    expect(await types('lost')).toEqual(['intended']);
    expect(await types('new')).toEqual([]);
  });

  it('has drained when what it had claimed by then has been begun', async () => {
    const answer = Promise.withResolvers<void>();
    const claim = queue.claim.bind(queue);
    queue.claim = async (name, count, which) => {
      const claims = await claim(name, count, which);
      if (claims.length > 0) await answer.promise;
      return claims;
    };
    const engine = await startEngine('a');
    await submit(engine, 'subject');
    let isDrained = false;
    const drained = engine.drain().then(() => {
      isDrained = true;
    });
    await rest();
    expect([isDrained, engine.going('steps')]).toEqual([false, []]);
    answer.resolve();
    await drained;
    expect(engine.going('steps')).toEqual(['subject']);
  });

  it('begins nothing when it was drained before it started', async () => {
    const other = await startEngine('b', { programs: [] });
    await submit(other, 'subject');
    const programs = [{ program: program as AnyProgram<MemoryTransaction>, parallel: () => 4 }];
    const engine = new Engine({ journal, queue, clock, nodeId: 'a', programs, beat });
    engines.push(engine);
    await engine.drain();
    await engine.start();
    clock.pass(500);
    await rest();
    expect(await types('subject')).toEqual([]);
  });

  it('is refused when it takes hold later than the one who took over', async () => {
    const engine = await startEngine('a', { programs: [] });
    await submit(engine, 'subject');
    expect((await journal.takeHold('subject', 2, 'b')).kind).toBe('taken');
    expect((await journal.takeHold('subject', 1, 'a')).kind).toBe('superseded');
    expect((await journal.takeHold('subject', 2, 'a')).kind).toBe('superseded');
  });
});
