import { createHash } from 'node:crypto';
import type { Cluster } from './begin-cluster.ts';

/** A place in the history of a task at which everything can be made to stand still. */
export type Point = {
  readonly kind: string;
  /** What the place is called, e.g. `before settled quiesce` or `DomainQuiesce 1 answered`. */
  readonly name: string;
  readonly hold:
    | { readonly by: 'fact'; readonly program: 'run' | 'task'; readonly seq: number }
    | {
        readonly by: 'request';
        readonly operation: string;
        readonly class?: string;
        readonly skip: number;
        readonly moment: 'arrived' | 'answered' | 'half-way';
      }
    | { readonly by: 'script'; readonly moment: 'PRE' | 'POST' };
};

type FactRow = { program: 'run' | 'task'; seq: number; body: FactBody };
type FactBody = {
  readonly type: string;
  readonly effect?: { readonly type: string };
  readonly note?: { readonly type: string };
};

const downloads = new Set(['do-backup', 'get-file']);

/**
 * The points of a kind, from what an undisturbed run of it left: before each of its facts is committed, each request
 * when it has arrived and when it was worked on but not answered, the middle of each download, each script.
 */
export async function findPoints(cluster: Cluster, kind: string, device: string): Promise<Point[]> {
  const facts = await cluster.query<FactRow>(
    `select s.program, f.seq, f.body from journal_fact f join journal_subject s on s.id = f.subject_id
     where s.id in (select id from task where device = $1 union select id from run where plan_name = $1)
     order by s.program, f.seq`,
    [device],
  );
  return [
    ...facts.map((row) => pointOfFact(kind, row)),
    ...pointsOfRequests(cluster, kind, device),
    ...facts.flatMap((row) => pointsOfScripts(kind, row)),
  ];
}

function pointOfFact(kind: string, { program, seq, body }: FactRow): Point {
  const name = [`before ${program} fact ${seq}:`, body.type, body.effect?.type ?? body.note?.type ?? ''];
  return { kind, name: name.join(' ').trim(), hold: { by: 'fact', program, seq } };
}

function pointsOfRequests({ fleet }: Cluster, kind: string, device: string): Point[] {
  const seen = new Map<string, number>();
  return fleet.log
    .filter((entry) => entry.device === device)
    .flatMap(({ operation, class: ofClass }) => {
      const what = ofClass === undefined ? operation : `${operation} ${ofClass}`;
      const skip = seen.get(what) ?? 0;
      seen.set(what, skip + 1);
      const moments = [
        'arrived',
        'answered',
        ...(downloads.has(operation) ? ['half-way' as const] : []),
      ] as const;
      return moments.map((moment): Point => {
        const hold = { by: 'request', operation, skip, moment } as const;
        const name = `${what} ${skip + 1} ${moment}`;
        return { kind, name, hold: ofClass === undefined ? hold : { ...hold, class: ofClass } };
      });
    });
}

function pointsOfScripts(kind: string, { body }: FactRow): Point[] {
  if (body.type !== 'intended') return [];
  if (body.effect?.type === 'runPreScript')
    return [{ kind, name: 'pre-task script going on', hold: { by: 'script', moment: 'PRE' } }];
  if (body.effect?.type === 'runPostScript')
    return [{ kind, name: 'post-task script going on', hold: { by: 'script', moment: 'POST' } }];
  return [];
}

/**
 * Points in groups for one kill each. A transaction that is held keeps a connection of the node's pool, so a group has
 * few of those; the order within is by chance of the name, so that kinds and moments mix.
 */
export function groupPoints<Some extends Point>(points: readonly Some[], factsPerGroup: number): Some[][] {
  const mixed = [...points].sort((one, other) => (chanceOf(one) < chanceOf(other) ? -1 : 1));
  const facts = mixed.filter(({ hold }) => hold.by === 'fact');
  const others = mixed.filter(({ hold }) => hold.by !== 'fact');
  const count = Math.ceil(facts.length / factsPerGroup);
  return Array.from({ length: count }, (_, index) => [
    ...facts.filter((_fact, at) => at % count === index),
    ...others.filter((_other, at) => at % count === index),
  ]);
}

function chanceOf({ kind, name }: Point): string {
  return createHash('sha256').update(`${kind} ${name}`).digest('hex');
}
