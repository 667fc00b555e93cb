import { beforeEach, describe, expect, it } from 'vitest';
import { type DriveEnd, driveSubject } from './drive-subject.ts';
import type { AnyProgram, Fact, Program } from './program.ts';
import { ManualClock } from './testing/manual-clock.ts';
import { MemoryDatabase, type MemoryTransaction } from './testing/memory-database.ts';
import { MemoryJournal } from './testing/memory-journal.ts';
import { WakeUp } from './wake-up.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Lets everything that is due by promises alone come to rest. */
const rest = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Waits a minute from the first note on, then ends; with each drive anew. */
type State = { readonly waitsFrom: number | null };

describe.each([
  ['an hour back', -DAY_MS / 24],
  ['a day back', -DAY_MS],
  ['a minute and a half forward', 1.5 * MINUTE_MS],
  ['a day forward', DAY_MS],
])('a clock that is put %s while a subject is driven', (_, byMs) => {
  let clock: ManualClock;
  let journal: MemoryJournal;
  let timesOfDay: number[];
  const waiting: Program<object, State, MemoryTransaction> = {
    name: 'steps',
    begin: () => ({ waitsFrom: null }),
    evolve: (state, fact) =>
      fact.type === 'noted' || fact.type === 'takenOver' ? { waitsFrom: fact.at } : state,
    next: ({ waitsFrom }, now, timeOfDay) => {
      timesOfDay.push(timeOfDay);
      if (waitsFrom === null) return { kind: 'note', note: 'begun' };
      const until = waitsFrom + MINUTE_MS;
      return now >= until ? { kind: 'finish', verdict: 'done' } : { kind: 'wait', until };
    },
    isLook: () => false,
    isNews: () => true,
    isGivenUp: () => false,
    perform: () => Promise.reject(new Error('It only waits.')),
    project: async () => undefined,
  };

  beforeEach(async () => {
    clock = new ManualClock();
    journal = new MemoryJournal(new MemoryDatabase());
    timesOfDay = [];
    await journal.transact((trx) => journal.create(trx, 'steps', [{ id: 'subject', spec: {} }]));
  });

  async function drive(token: number, signal: AbortSignal): Promise<DriveEnd> {
    const hold = await journal.takeHold('subject', token, `node-${token}`);
    if (hold.kind !== 'taken') throw new Error(`The subject is ${hold.kind}.`);
    return driveSubject(hold.taken, waiting as AnyProgram<MemoryTransaction>, {
      journal,
      wakeUp: new WakeUp(clock),
      clock,
      signal,
      mustLetGo: () => signal.aborted,
      putOff: () => Promise.reject(new Error('It is never put off.')),
      onRecorded: () => undefined,
    });
  }

  /** Lets so many seconds pass, and is told whether the drive has ended in the last of them and not before. */
  async function endsInSecond(driven: Promise<DriveEnd>, seconds: number): Promise<boolean> {
    let end: DriveEnd | null = null;
    void driven.then((kind) => {
      end = kind;
    });
    for (let second = 0; second < seconds; second += 1) {
      await rest();
      if (end !== null) return false;
      clock.pass(1000);
    }
    await rest();
    return end === 'ended';
  }

  const facts = (): Promise<readonly Fact[]> => journal.factsAfter(null, 'subject', 0);

  it('changes neither how long it waits nor what its facts say of that', async () => {
    const driven = drive(1, new AbortController().signal);
    expect(await endsInSecond(driven, 20)).toBe(false);
    clock.set(byMs);
    expect(await endsInSecond(driven, 40)).toBe(true);
    const [noted, ended] = await facts();
    expect((ended?.at ?? 0) - (noted?.at ?? 0)).toBe(MINUTE_MS);
  });

  it('is what the program is told the time of day by', async () => {
    const driven = drive(1, new AbortController().signal);
    await rest();
    expect(timesOfDay.at(-1)).toBe(clock.now());
    clock.set(byMs);
    expect(await endsInSecond(driven, 60)).toBe(true);
    expect(timesOfDay.at(-1)).toBe(clock.now());
  });

  it('is what the next drive begins with, in which the waits are of full length again', async () => {
    const first = new AbortController();
    const driven = drive(1, first.signal);
    expect(await endsInSecond(driven, 20)).toBe(false);
    first.abort();
    expect(await driven).toBe('released');
    clock.set(byMs);
    expect(await endsInSecond(drive(2, new AbortController().signal), 60)).toBe(true);
    const [noted, takenOver, ended] = await facts();
    expect((takenOver?.at ?? 0) - (noted?.at ?? 0)).toBe(20_000 + byMs);
    expect((ended?.at ?? 0) - (takenOver?.at ?? 0)).toBe(MINUTE_MS);
  });
});
