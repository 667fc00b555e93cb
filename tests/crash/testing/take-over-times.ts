import type { Cluster } from './begin-cluster.ts';

/** A run or task that somebody had begun to drive, and how far its journal went. */
export type InFlight = { readonly id: string; readonly place: string; readonly lastSeq: number };

/** What is in flight now. */
export function readInFlight(cluster: Cluster): Promise<InFlight[]> {
  return cluster.query<InFlight>(
    `select s.id, last_seq as "lastSeq",
       coalesce((select device from task where task.id = s.id), (select plan_name from run where run.id = s.id)) as place
     from journal_subject s where not is_ended and token > 0`,
  );
}

/** For each of them how long after an instant the next fact was written; those without one are left out. */
export async function dealtWithAfterMs(
  cluster: Cluster,
  inFlight: readonly InFlight[],
  at: number,
): Promise<Map<InFlight, number>> {
  const rows = await cluster.query<{ id: string; at: number }>(
    `select wanted.id::text, min((body->>'at')::float8) as at
     from unnest($1::uuid[], $2::int4[]) as wanted (id, seq)
     join journal_fact f on f.subject_id = wanted.id and f.seq > wanted.seq group by wanted.id`,
    [inFlight.map(({ id }) => id), inFlight.map(({ lastSeq }) => lastSeq)],
  );
  const found = new Map(rows.map((row) => [row.id, row.at - at]));
  return new Map(
    inFlight.flatMap((one) => {
      const afterMs = found.get(one.id);
      return afterMs === undefined ? [] : [[one, afterMs] as const];
    }),
  );
}
