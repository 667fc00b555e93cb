import { afterEach, beforeEach, expect, it } from 'vitest';
import { Engine } from './engine.ts';
import { PlaceTaken } from './place-taken.ts';
import type { AnyProgram } from './program.ts';
import { ManualClock } from './testing/manual-clock.ts';
import { MemoryDatabase, type MemoryTransaction } from './testing/memory-database.ts';
import { MemoryJournal } from './testing/memory-journal.ts';
import { MemoryQueue } from './testing/memory-queue.ts';

/** Lets everything that is due by promises alone come to rest. */
const rest = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

let clock: ManualClock;
let journal: MemoryJournal;
let engine: Engine<MemoryTransaction>;
let signals: AbortSignal[];
let isPlaceTaken: boolean;
let isBroken: boolean;

/** Does one step that lasts until it is given up. */
const program: AnyProgram<MemoryTransaction> = {
  name: 'steps',
  begin: () => null,
  evolve: () => null,
  next: () => ({ kind: 'do', effect: { type: 'step' } }),
  isLook: () => false,
  isNews: () => true,
  isGivenUp: () => false,
  perform: (_effect, _state, { signal }) => {
    if (isBroken) throw new TypeError('a mistake of ours');
    signals.push(signal);
    return new Promise((resolve) => {
      signal.addEventListener('abort', () => resolve({ ok: true, value: null }));
    });
  },
  project: async () => undefined,
};

beforeEach(async () => {
  clock = new ManualClock();
  journal = new MemoryJournal(new MemoryDatabase());
  signals = [];
  isPlaceTaken = false;
  isBroken = false;
  engine = new Engine({
    journal,
    queue: new MemoryQueue(() => clock.elapsed()),
    clock,
    nodeId: 'a',
    programs: [{ program, parallel: () => 4 }],
    beat: async () => {
      if (isPlaceTaken) throw new PlaceTaken('Another server, process 7, has the identity of this node.');
    },
  });
  await engine.start();
});

afterEach(() => engine.stop());

async function begin(id: string): Promise<void> {
  await engine.transact(async (trx) => {
    await engine.create(trx, 'steps', [{ id, spec: {} }]);
    await engine.enqueue(trx, 'steps', [{ subjectId: id, key: id, order: 1 }]);
  });
  engine.lookForWork();
  await rest();
}

it('a node whose place was taken lets go of everything with that beat, says so, and never acts again', async () => {
  const told: string[] = [];
  engine.on('placeTaken', ({ message }) => told.push(message));
  await begin('subject');
  isPlaceTaken = true;
  clock.pass(2_000);
  await rest();
  expect(signals[0]?.aborted).toBe(true);
  expect([engine.isFenced(), engine.mayActForMs()]).toEqual([true, 0]);
  isPlaceTaken = false;
  clock.pass(2_000);
  await rest();
  expect(engine.mayActForMs()).toBe(0);
  expect(told).toEqual(['Another server, process 7, has the identity of this node.']);
});

it('a subject that is parked waits for its next try, whoever wakes it', async () => {
  const tokens: number[] = [];
  engine.on('parked', ({ token }) => tokens.push(token));
  isBroken = true;
  await begin('subject');
  engine.wake('subject');
  await rest();
  engine.wake('subject');
  await rest();
  expect(tokens).toEqual([1]);
  clock.pass(1_000);
  await rest();
  expect(tokens).toEqual([1, 2]);
});

it('a subject can be told something in a transaction that does more, and with it or not at all', async () => {
  await begin('subject');
  const tell = (isKept: boolean) =>
    engine.transact(async (trx) => {
      expect(await engine.tellIn(trx, 'subject', { type: 'anything' })).toBe(true);
      if (!isKept) throw new Error('the power went');
    });
  await expect(tell(false)).rejects.toThrow('the power went');
  await tell(true);
  const facts = await journal.factsAfter(null, 'subject', 0);
  expect(facts.map(({ type }) => type)).toEqual(['intended', 'told']);
  await engine.transact(async (trx) => expect(await engine.tellIn(trx, 'unknown', {})).toBe(false));
});
