import { evolveTask, isGuardNeeded, queuedTask, type TaskFact, type TaskSpec } from '@stillpoint/core';
import {
  type AnyProgram,
  Engine,
  type EngineTables,
  type Fact,
  type Journal,
  PostgresJournal,
  type Queue,
  systemClock,
} from '@stillpoint/engine';
import type { Kysely, Transaction } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { storedRecords } from '../adapters/stored-records.ts';
import type { Tables } from '../adapters/tables.ts';
import { ReconcilerScene } from '../testing/reconciler-scene.ts';
import { TASK_PROGRAM, taskProgram } from './task-program.ts';

let scene: ReconcilerScene;
let program: AnyProgram<Transaction<Tables>>;
let engine: Engine<Transaction<Tables>>;

beforeAll(async () => {
  scene = await ReconcilerScene.open();
  const perform = async () => ({ ok: true, value: null }) as const;
  program = taskProgram({ perform }, storedRecords(scene.db));
  // Kysely's type says which tables may be named; the journal names its own, which are among them.
  const journal: unknown = new PostgresJournal(scene.db as unknown as Kysely<EngineTables>);
  engine = new Engine({
    journal: journal as Journal<Transaction<Tables>>,
    // It is never started: it only tells.
    queue: {} as Queue<Transaction<Tables>>,
    clock: systemClock,
    nodeId: scene.node,
    programs: [{ program, parallel: () => 1 }],
  });
});

afterAll(() => scene.close());

async function factsOf(taskId: string): Promise<readonly Fact[]> {
  const rows = await scene.db
    .selectFrom('journal_fact')
    .select('body')
    .where('subject_id', '=', taskId)
    .orderBy('seq')
    .execute();
  return rows.map(({ body }) => body);
}

it('a task whose guard the reconciler closed does not unquiesce what somebody else quiesces later', async () => {
  const { taskId } = await scene.guarded({ A: 'normal' }, { status: 'RUNNING' });
  const { spec } = await scene.db
    .selectFrom('task')
    .select('spec')
    .where('id', '=', taskId)
    .executeTakeFirstOrThrow();
  const scope = { kind: 'domain', domain: 'A' } as const;
  const facts: TaskFact[] = [
    { type: 'noted', at: 1, note: { type: 'started' } },
    { type: 'intended', at: 2, effect: { type: 'quiesce', scope, timeoutSeconds: 60 } },
    { type: 'takenOver', at: 3 },
  ];
  await engine.transact(async (trx) => {
    await engine.create(trx, TASK_PROGRAM, [{ id: taskId, spec }]);
    const rows = facts.map((fact, index) => ({
      subject_id: taskId,
      seq: index + 1,
      body: JSON.stringify(fact),
    }));
    await trx.insertInto('journal_fact').values(rows).execute();
    await trx.updateTable('journal_subject').set({ last_seq: facts.length }).execute();
  });

  const attempts = await Promise.all(await scene.reconcilerOf(scene.node, engine).reconcile());
  expect(attempts).toMatchObject([{ isReleased: true }]);
  expect(await scene.guards()).toEqual(['QA1 released']);

  const known = (await factsOf(taskId)) as readonly TaskFact[];
  expect(known.map(({ type }) => type)).toEqual(['noted', 'intended', 'takenOver', 'told']);
  const state = known.reduce(evolveTask, queuedTask(spec as TaskSpec));
  expect([isGuardNeeded(state), state.failure?.reason.code]).toEqual([false, 'INTERRUPTED']);
  expect(program.next(state, systemClock.now(), systemClock.now())).toMatchObject({ kind: 'finish' });
});
