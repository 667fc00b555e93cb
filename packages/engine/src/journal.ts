import type { Fact, Written } from './program.ts';

/** A subject that is to be known; nobody drives it before it is enqueued. */
export type NewSubject = { readonly id: string; readonly spec: object };

/** A subject's row. `token` is what its last holder holds it under, 0 before the first. */
export type Subject = {
  readonly program: string;
  readonly spec: object;
  readonly lastSeq: number;
  readonly token: number;
  readonly isEnded: boolean;
};

/** A subject as one holder sees it: its facts up to `seq`, held under `token`. */
export type Held = { readonly subjectId: string; readonly token: number; seq: number };

/** A subject that was taken hold of, with all that is known of it. */
export type Taken = { readonly held: Held; readonly spec: object; readonly facts: readonly Fact[] };

/** `superseded`: somebody holds it under a higher token. `gone`: it has ended or was never known. */
export type TakeHold =
  | { readonly kind: 'taken'; readonly taken: Taken }
  | { readonly kind: 'superseded' }
  | { readonly kind: 'gone' };

/** Where facts are kept. Transactions are the caller's, so that what others read can be written with a fact. */
export interface Journal<Transaction> {
  /** All of it or nothing; throws when it cannot tell which. */
  transact<Value>(work: (trx: Transaction) => Promise<Value>): Promise<Value>;
  create(trx: Transaction, program: string, subjects: readonly NewSubject[]): Promise<void>;
  /** Takes hold of a subject under a token that is higher than every one before; all who held it can write no more. */
  takeHold(subjectId: string, token: number, nodeId: string): Promise<TakeHold>;
  /** The subject's row, locked until the transaction ends: whoever has it may write the next fact. */
  lock(trx: Transaction, subjectId: string): Promise<Subject | null>;
  /** Nobody holds the subject from here on, as before it was first taken hold of; what it was held under stays used. */
  letGo(trx: Transaction, subjectId: string): Promise<void>;
  /** The facts of a subject after one of them, oldest first; 0 for all. Null reads outside of any transaction. */
  factsAfter(trx: Transaction | null, subjectId: string, seq: number): Promise<readonly Fact[]>;
  /**
   * Writes the next facts of a subject in one go, if it is still held under the token and nobody has written meanwhile;
   * otherwise answers false and writes nothing. Null writes outside of any transaction.
   */
  insertNext(trx: Transaction | null, held: Held, facts: readonly Fact[]): Promise<boolean>;
  /** Writes one fact whose number is known to be free because the subject's row is locked. */
  insert(trx: Transaction, subjectId: string, seq: number, fact: Fact): Promise<void>;
  /** The unfinished subjects of a program that a node held last. */
  heldLastBy(nodeId: string, program: string): Promise<readonly string[]>;
}

/** What came of a look for what others wrote. `lost`: somebody else holds the subject, or it has ended. */
export type Missed = { readonly kind: 'missed'; readonly facts: readonly Fact[] } | { readonly kind: 'lost' };

/**
 * Appends facts under the holder's token, and what `project` writes in the same transaction; null for nothing. False when
 * others wrote meanwhile, or somebody else holds the subject: then nothing is written.
 */
export async function appendNext<Transaction>(
  journal: Journal<Transaction>,
  held: Held,
  facts: readonly Fact[],
  project: ((trx: Transaction) => Promise<void>) | null,
): Promise<boolean> {
  const isAppended =
    project === null
      ? await journal.insertNext(null, held, facts)
      : await journal.transact(async (trx) => {
          const isInserted = await journal.insertNext(trx, held, facts);
          if (isInserted) await project(trx);
          return isInserted;
        });
  if (isAppended) held.seq += facts.length;
  return isAppended;
}

/**
 * Appends one fact under the holder's token behind whatever others wrote meanwhile; `project` runs in the same
 * transaction and is given their facts. False when somebody else holds the subject.
 */
export async function appendBehind<Transaction>(
  journal: Journal<Transaction>,
  held: Held,
  fact: Fact,
  project: (trx: Transaction, missed: readonly Fact[]) => Promise<void>,
): Promise<boolean> {
  const written = await transactHeld(journal, held, async (trx, lastSeq) => {
    await journal.insert(trx, held.subjectId, lastSeq + 1, fact);
    await project(trx, await missedIn(trx, journal, held, lastSeq));
    return lastSeq + 1;
  });
  if (written.kind === 'written') held.seq = written.value;
  return written.kind === 'written';
}

/** Takes in what others wrote meanwhile. */
export async function catchUp<Transaction>(journal: Journal<Transaction>, held: Held): Promise<Missed> {
  const written = await transactHeld(journal, held, (trx, lastSeq) => missedIn(trx, journal, held, lastSeq));
  if (written.kind === 'lost') return written;
  held.seq += written.value.length;
  return { kind: 'missed', facts: written.value };
}

async function missedIn<Transaction>(
  trx: Transaction,
  journal: Journal<Transaction>,
  { subjectId, seq }: Held,
  lastSeq: number,
): Promise<readonly Fact[]> {
  return lastSeq > seq ? (await journal.factsAfter(trx, subjectId, seq)).slice(0, lastSeq - seq) : [];
}

/** Does the work in one transaction if the subject is still held under the holder's token, which nobody can take over meanwhile. */
export function transactHeld<Transaction, Value>(
  journal: Journal<Transaction>,
  { subjectId, token }: Held,
  work: (trx: Transaction, lastSeq: number) => Promise<Value>,
): Promise<Written<Value>> {
  return journal.transact(async (trx): Promise<Written<Value>> => {
    const subject = await journal.lock(trx, subjectId);
    if (subject === null || subject.token !== token || subject.isEnded) return { kind: 'lost' };
    return { kind: 'written', value: await work(trx, subject.lastSeq) };
  });
}
