import { beforeEach, expect, it } from 'vitest';
import { ManualClock } from '../../../engine/src/testing/manual-clock.ts';
import { undoGoingTasks } from './undo-going-tasks.ts';

const UNDO_MS = 60_000;

/** Lets everything that is due by promises alone come to rest. */
const rest = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

let clock: ManualClock;
let going: string[];
let told: string[];
let tell: (subjectId: string) => Promise<boolean>;
let isOver: boolean;

beforeEach(() => {
  clock = new ManualClock();
  going = [];
  told = [];
  tell = async () => true;
  isOver = false;
});

const undo = async (): Promise<void> => {
  const engine = {
    going: () => [...going],
    tell: (subjectId: string) => {
      told.push(subjectId);
      return tell(subjectId);
    },
  };
  const undoing = undoGoingTasks(engine, clock, UNDO_MS).then(() => {
    isOver = true;
  });
  undoing.catch(() => undefined);
  await rest();
};

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
  going = ['two'];
  await pass(5_000);
  expect([isOver, told]).toEqual([false, ['one', 'two']]);
  going = [];
  await pass(1_000);
  expect([isOver, told]).toEqual([true, ['one', 'two']]);
});

it('a task that could not be told is told again, and not taken for one that has ended', async () => {
  going = ['one'];
  tell = () => (told.length < 3 ? Promise.reject(new Error('the database hiccups')) : Promise.resolve(true));
  await undo();
  await pass(5_000);
  expect([isOver, told]).toEqual([false, ['one', 'one', 'one']]);
  going = [];
  await pass(1_000);
  expect(isOver).toBe(true);
});

it('a task that is taken hold of meanwhile is told as well', async () => {
  going = ['one'];
  await undo();
  going = ['one', 'late'];
  await pass(1_000);
  going = ['late'];
  await pass(1_000);
  expect([isOver, told]).toEqual([false, ['one', 'late']]);
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
