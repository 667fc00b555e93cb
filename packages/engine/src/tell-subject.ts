import type { Clock } from './clock.ts';
import type { Journal } from './journal.ts';
import type { AnyProgram, Fact } from './program.ts';

/** What was written because a subject was told something. */
export type Told = { readonly program: string; readonly facts: readonly Fact[] };

/** Tells a subject in a transaction of its own: see `tellIn`. */
export function tellSubject<Transaction>(
  journal: Journal<Transaction>,
  programOf: (name: string) => AnyProgram<Transaction>,
  clock: Clock,
  subjectId: string,
  command: unknown,
): Promise<Told | null> {
  return journal.transact((trx) => tellIn(trx, journal, programOf, clock, subjectId, command));
}

/**
 * Records what a subject is told, in a transaction of the caller's. One that nobody drives, because nobody has begun to or
 * because it was put off, ends in the same transaction if that is what it wants to do now; whoever takes hold of it meanwhile finds it ended. Null when it has
 * ended already or is unknown.
 */
export async function tellIn<Transaction>(
  trx: Transaction,
  journal: Journal<Transaction>,
  programOf: (name: string) => AnyProgram<Transaction>,
  clock: Pick<Clock, 'now'>,
  subjectId: string,
  command: unknown,
): Promise<Told | null> {
  const subject = await journal.lock(trx, subjectId);
  if (subject === null || subject.isEnded) return null;
  const program = programOf(subject.program);
  const known = await journal.factsAfter(trx, subjectId, 0);
  let state: unknown = known.reduce(program.evolve, program.begin(subject.spec));
  let seq = subject.lastSeq;
  const facts: Fact[] = [];
  const record = async (fact: Fact): Promise<void> => {
    const before = state;
    state = program.evolve(before, fact);
    seq += 1;
    facts.push(fact);
    await journal.insert(trx, subjectId, seq, fact);
    await program.project(trx, { subjectId, fact, before, after: state });
  };
  await record({ type: 'told', at: clock.now(), command });
  const now = clock.now();
  const step = isAtRest(known) ? program.next(state, now, now) : null;
  if (step?.kind === 'finish') await record({ type: 'ended', at: clock.now(), verdict: step.verdict });
  return { program: program.name, facts };
}

/** Whoever takes hold of a subject after it was put off says so with its first fact. */
function isAtRest(known: readonly Fact[]): boolean {
  const last = known.findLast(({ type }) => type !== 'told');
  return last === undefined || (last.type === 'noted' && last.putOffMs !== undefined);
}
