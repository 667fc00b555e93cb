import type { Generated, JSONColumnType } from 'kysely';
import type { Fact } from './program.ts';

/** The tables of the journal, as the migrations make them. */
export type EngineTables = {
  readonly journal_subject: {
    id: string;
    program: string;
    spec: JSONColumnType<object>;
    last_seq: Generated<number>;
    token: Generated<number>;
    node_id: string | null;
    is_ended: Generated<boolean>;
  };
  readonly journal_fact: { subject_id: string; seq: number; body: JSONColumnType<Fact> };
};
