import type { PoolClient } from 'pg';
import type { Cluster } from './begin-cluster.ts';

/** Keeps chosen facts from being committed, for as long as the test likes. */
export type FactHolds = {
  /** From now on the fact with this number of a device's task, or of the run of its plan, is not committed. */
  hold(device: string, program: 'run' | 'task', seq: number): Promise<number>;
  /** The holds at which a transaction waits now. */
  reached(): Promise<ReadonlySet<number>>;
  /** Lets everything go on, and resolves when nothing waits any more. */
  release(): Promise<void>;
  dispose(): void;
};

/** Tells the locks of these holds from all others of the database. */
const NAMESPACE = 7420;

/** The trigger is the test's own: it waits for a lock that the test has, inside the transaction that writes the fact. */
const setUp = `
  create table held_fact (id int primary key, device text not null, program text not null, seq int not null);
  create function wait_for_test() returns trigger language plpgsql as $$
  declare
    hold_id int;
  begin
    select held_fact.id into hold_id from held_fact
      join journal_subject on journal_subject.id = new.subject_id and journal_subject.program = held_fact.program
      where held_fact.seq = new.seq and held_fact.device =
        case held_fact.program when 'task' then (select device from task where task.id = new.subject_id)
        else (select plan_name from run where run.id = new.subject_id) end;
    if hold_id is not null then perform pg_advisory_xact_lock_shared(${NAMESPACE}, hold_id); end if;
    return new;
  end $$;
  create trigger wait_for_test before insert on journal_fact for each row execute function wait_for_test()`;

/** Makes facts of a cluster's journal holdable. */
export async function holdFacts(cluster: Cluster): Promise<FactHolds> {
  await cluster.query(setUp);
  // Locks belong to a session; this one is the test's, and it is asked one thing at a time.
  const client: PoolClient = await cluster.database.pool.connect();
  let asked: Promise<unknown> = Promise.resolve();
  const ask = (text: string, values: unknown[] = []): Promise<unknown> => {
    asked = asked.then(() => client.query(text, values));
    return asked;
  };
  let made = 0;
  const waiting = async (): Promise<number[]> => {
    const rows = await cluster.query<{ id: number }>(
      `select objid::int4 as id from pg_locks where locktype = 'advisory' and classid = ${NAMESPACE}
       and not granted and database = (select oid from pg_database where datname = current_database())`,
    );
    return rows.map(({ id }) => id);
  };
  return {
    async hold(device, program, seq) {
      made += 1;
      const id = made;
      await ask(`select pg_advisory_lock(${NAMESPACE}, $1)`, [id]);
      await ask('insert into held_fact values ($1, $2, $3, $4)', [id, device, program, seq]);
      return id;
    },
    reached: async () => new Set(await waiting()),
    async release() {
      await ask('delete from held_fact');
      await ask('select pg_advisory_unlock_all()');
      await cluster.until(async () => {
        if ((await waiting()).length > 0) throw new Error('transactions still wait for the test');
      });
    },
    dispose: () => client.release(true),
  };
}
