import { beforeEach, describe, expect, it } from 'vitest';
import { type DriveEnd, driveSubject } from './drive-subject.ts';
import { appendBehind } from './journal.ts';
import type { AnyProgram, Change, Effect, Fact, Program } from './program.ts';
import { ManualClock } from './testing/manual-clock.ts';
import { MemoryDatabase, type MemoryTransaction } from './testing/memory-database.ts';
import { MemoryJournal } from './testing/memory-journal.ts';
import { WakeUp } from './wake-up.ts';

/** Everything done so far, by name; what is told is the name of something done as well. */
type State = readonly string[];

const plan = ['look 1', 'look 2', 'act 1', 'act 2', 'look 3'];

/** Works through a plan of looks and acts; `onPerform` is what happens meanwhile. */
function worker(
  onPerform: (effect: string) => Promise<void>,
  projects: (change: Change<State>) => boolean = () => false,
): AnyProgram<MemoryTransaction> {
  const program: Program<object, State, MemoryTransaction> = {
    name: 'steps',
    begin: () => [],
    evolve(state, fact) {
      if (fact.type === 'settled') return [...state, fact.effect.type];
      return fact.type === 'told' ? [...state, 'told'] : state;
    },
    next(state) {
      const step = plan.find((name) => !state.includes(name));
      return step === undefined || state.includes('told')
        ? { kind: 'finish', verdict: state }
        : { kind: 'do', effect: { type: step } };
    },
    isLook: ({ type }: Effect) => type.startsWith('look'),
    isNews: () => true,
    isGivenUp: () => false,
    async perform({ type }) {
      await onPerform(type);
      return { ok: true, value: null };
    },
    project: async () => undefined,
    isProjected: projects,
  };
  return program as AnyProgram<MemoryTransaction>;
}

/** Counts how often something is written in one go, and what. */
class WatchedJournal extends MemoryJournal {
  readonly writes: string[] = [];

  override async insertNext(...asked: Parameters<MemoryJournal['insertNext']>): Promise<boolean> {
    const [trx, , facts] = asked;
    const isWritten = await super.insertNext(...asked);
    // Without a transaction it begins one, and comes past here again.
    if (isWritten && trx !== null) this.writes.push(facts.map(nameOf).join(', '));
    return isWritten;
  }
}

const nameOf = (fact: Fact): string =>
  fact.type === 'intended' || fact.type === 'settled' ? `${fact.type} ${fact.effect.type}` : fact.type;

describe('what a drive knows is written', () => {
  let journal: WatchedJournal;

  beforeEach(async () => {
    journal = new WatchedJournal(new MemoryDatabase());
    await journal.transact((trx) => journal.create(trx, 'steps', [{ id: 'subject', spec: {} }]));
  });

  async function drive(program: AnyProgram<MemoryTransaction>, token = 1): Promise<DriveEnd> {
    const clock = new ManualClock();
    const hold = await journal.takeHold('subject', token, 'node');
    if (hold.kind !== 'taken') throw new Error(`The subject is ${hold.kind}.`);
    return driveSubject(hold.taken, program, {
      journal,
      wakeUp: new WakeUp(clock),
      clock,
      signal: new AbortController().signal,
      mustLetGo: () => false,
      putOff: async () => undefined,
      onRecorded: () => undefined,
    });
  }

  const facts = async (): Promise<string[]> => (await journal.factsAfter(null, 'subject', 0)).map(nameOf);

  const tell = (): Promise<void> =>
    journal.transact(async (trx) => {
      const subject = await journal.lock(trx, 'subject');
      await journal.insert(trx, 'subject', (subject?.lastSeq ?? 0) + 1, {
        type: 'told',
        at: 0,
        command: 'stop',
      });
    });

  it('looks with the next intent, an outcome with the next intent or end, but for no look', async () => {
    expect(await drive(worker(async () => undefined))).toBe('ended');
    expect(journal.writes).toEqual([
      'settled look 1, settled look 2, intended act 1',
      'settled act 1, intended act 2',
      'settled act 2',
      'settled look 3, ended',
    ]);
  });

  it('a look that others read of at once, and an outcome before an intent that others read of', async () => {
    const projects = ({ fact }: Change<State>): boolean => /look 1|intended/.test(nameOf(fact));
    expect(await drive(worker(async () => undefined, projects))).toBe('ended');
    expect(journal.writes).toEqual([
      'settled look 1',
      'settled look 2, intended act 1',
      'settled act 1',
      'intended act 2',
      'settled act 2',
      'settled look 3, ended',
    ]);
  });

  it('behind what others wrote meanwhile, if it is an outcome', async () => {
    await drive(worker(async (effect) => (effect === 'act 1' ? tell() : undefined)));
    expect(await facts()).toEqual([
      'settled look 1',
      'settled look 2',
      'intended act 1',
      'told',
      'settled act 1',
      'ended',
    ]);
  });

  it('not at all, if it is a look that others wrote behind of', async () => {
    await drive(worker(async (effect) => (effect === 'look 2' ? tell() : undefined)));
    expect(await facts()).toEqual(['told', 'ended']);
  });

  it('not at all, once somebody else holds the subject', async () => {
    const takeAway = async (effect: string): Promise<void> => {
      if (effect === 'act 1') await journal.takeHold('subject', 2, 'another');
    };
    expect(await drive(worker(takeAway))).toBe('released');
    expect(await facts()).toEqual(['settled look 1', 'settled look 2', 'intended act 1']);
    const late = { subjectId: 'subject', token: 1, seq: 3 };
    const fact: Fact = { type: 'takenOver', at: 0 };
    expect(await journal.insertNext(null, late, [fact])).toBe(false);
    expect(await appendBehind(journal, late, fact, async () => undefined)).toBe(false);
  });
});
