import { EventEmitter } from 'node:events';
import type { EngineEvents } from '@stillpoint/engine';
import { beforeEach, expect, it } from 'vitest';
import { ManualClock } from '../../../engine/src/testing/manual-clock.ts';
import { type GoingTasks, undoGoingTasks } from './undo-going-tasks.ts';

const UNDO_MS = 60_000;

/** Lets everything that is due by promises alone come to rest. */
const rest = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

let clock: ManualClock;
let going: string[];
let told: string[];
let tell: (subjectId: string) => Promise<boolean>;
let drain: () => Promise<void>;
let engine: GoingTasks & Pick<EventEmitter<EngineEvents>, 'emit'>;
let isOver: boolean;

beforeEach(() => {
  clock = new ManualClock();
  going = [];
  told = [];
  tell = async () => true;
  drain = async () => undefined;
  isOver = false;
  engine = Object.assign(new EventEmitter<EngineEvents>(), {
    drain: () => drain(),
    going: () => [...going],
    tell: (subjectId: string) => {
      told.push(subjectId);
      return tell(subjectId);
    },
  });
});

const undo = async (): Promise<void> => {
  const undoing = undoGoingTasks(engine, clock, UNDO_MS).then(() => {
    isOver = true;
  });
  undoing.catch(() => undefined);
  await rest();
};

/** As the engine says it, before it gives the task out of its hands. */
function end(subjectId: string): void {
  engine.emit('ended', { subjectId, program: 'task', verdict: null });
  going = going.filter((other) => other !== subjectId);
}

async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms && !isOver; passed += 100) {
    clock.pass(100);
    await rest();
  }
}

it('nothing is waited for when nothing goes on', async () => {
  await undo();
  expect([isOver, told]).toEqual([true, []]);
});

it('what goes on is told once and waited for', async () => {
  going = ['one', 'two'];
  await undo();
  await pass(5_000);
  end('one');
  await pass(5_000);
  expect([isOver, told]).toEqual([false, ['one', 'two']]);
  end('two');
  await rest();
  expect([isOver, told]).toEqual([true, ['one', 'two']]);
});

it('a task that could not be told is told again, and not taken for one that has ended', async () => {
  going = ['one'];
  tell = () => (told.length < 3 ? Promise.reject(new Error('the database hiccups')) : Promise.resolve(true));
  await undo();
  await pass(5_000);
  expect([isOver, told]).toEqual([false, ['one', 'one', 'one']]);
  end('one');
  await rest();
  expect(isOver).toBe(true);
});

it('a task that is put off to its next attempt has undone what it did, and is not waited for', async () => {
  going = ['one'];
  await undo();
  engine.emit('putOff', { subjectId: 'one', program: 'task' });
  await rest();
  expect([isOver, told]).toEqual([true, ['one']]);
});

it('a task that had ended before it was told is not waited for', async () => {
  going = ['one'];
  tell = async () => false;
  await undo();
  await rest();
  expect(isOver).toBe(true);
});

it('a task that is taken hold of meanwhile is told as well', async () => {
  going = ['one'];
  await undo();
  going = ['one', 'late'];
  await pass(1_000);
  end('one');
  await pass(1_000);
  expect([isOver, told]).toEqual([false, ['one', 'late']]);
});

it('a claim that is on its way is waited for', async () => {
  const drained = Promise.withResolvers<void>();
  drain = () => drained.promise;
  await undo();
  await pass(5_000);
  expect(isOver).toBe(false);
  going = ['late'];
  drained.resolve();
  await pass(5_000);
  expect([isOver, told]).toEqual([false, ['late']]);
});

it('a task that was parked is waited for until it goes on again, and not much longer', async () => {
  going = ['parked'];
  await undo();
  going = [];
  await pass(1_000);
  expect(isOver).toBe(false);
  going = ['parked'];
  await pass(10_000);
  expect([isOver, told]).toEqual([false, ['parked']]);
  going = [];
  await pass(3_000);
  expect(isOver).toBe(true);
});

it.each([
  ['goes on', async () => true],
  ['cannot be told', () => Promise.reject(new Error('the database is away'))],
  ['is being told for ever', () => new Promise<boolean>(() => undefined)],
])('is over in its time when a task %s', async (_what, answer) => {
  going = ['one'];
  tell = answer;
  await undo();
  await pass(UNDO_MS - 200);
  expect(isOver).toBe(false);
  await pass(400);
  expect(isOver).toBe(true);
});
