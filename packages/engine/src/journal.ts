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
  /** The facts of a subject after one of them, oldest first; 0 for all. Null reads outside of any transaction. */
  factsAfter(trx: Transaction | null, subjectId: string, seq: number): Promise<readonly Fact[]>;
  /** Writes one fact whose number is known to be free because the subject's row is locked. */
  insert(trx: Transaction, subjectId: string, seq: number, fact: Fact): Promise<void>;
  /** The unfinished subjects of a program that a node held last. */
  heldLastBy(nodeId: string, program: string): Promise<readonly string[]>;
}

/** What came of an append. `behind`: others wrote meanwhile, take their facts in first. `lost`: somebody else holds it. */
export type Appended =
  | { readonly kind: 'appended' }
  | { readonly kind: 'behind'; readonly facts: readonly Fact[] }
  | { readonly kind: 'lost' };

/**
 * Appends one fact under the holder's token; `project` runs in the same transaction and is given the facts that others
 * wrote meanwhile. With `isConditional` nothing is appended when there are any.
 */
export async function append<Transaction>(
  journal: Journal<Transaction>,
  held: Held,
  fact: Fact,
  isConditional: boolean,
  project: (trx: Transaction, missed: readonly Fact[]) => Promise<void>,
): Promise<Appended> {
  const { subjectId } = held;
  const { appended, seq } = await journal.transact(
    async (trx): Promise<{ appended: Appended; seq: number }> => {
      const subject = await journal.lock(trx, subjectId);
      if (subject === null || subject.token !== held.token || subject.isEnded)
        return { appended: { kind: 'lost' }, seq: held.seq };
      const { lastSeq } = subject;
      const missed = lastSeq > held.seq ? await journal.factsAfter(trx, subjectId, held.seq) : [];
      if (missed.length > 0 && isConditional)
        return { appended: { kind: 'behind', facts: missed }, seq: lastSeq };
      await journal.insert(trx, subjectId, lastSeq + 1, fact);
      await project(trx, missed);
      return { appended: { kind: 'appended' }, seq: lastSeq + 1 };
    },
  );
  held.seq = seq;
  return appended;
}

/** Does the work in one transaction if the subject is still held under the holder's token, which nobody can take over meanwhile. */
export function transactHeld<Transaction, Value>(
  journal: Journal<Transaction>,
  { subjectId, token }: Held,
  work: (trx: Transaction) => Promise<Value>,
): Promise<Written<Value>> {
  return journal.transact(async (trx): Promise<Written<Value>> => {
    const subject = await journal.lock(trx, subjectId);
    if (subject === null || subject.token !== token || subject.isEnded) return { kind: 'lost' };
    return { kind: 'written', value: await work(trx) };
  });
}
