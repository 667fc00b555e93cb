import { evolveRun, isRunLook, nextRunStep, queuedRun, type RunFact, type RunState } from '@stillpoint/core';
import type { AnyProgram, Change } from '@stillpoint/engine';
import type { Transaction } from 'kysely';
import type { RunPerformer } from './run-performer.ts';
import type { Tables } from './tables.ts';

/** The name under which the engine hosts runs, and of their queue. */
export const RUN_PROGRAM = 'run';

/** A run as the engine hosts it: core decides, the performer does, the tables show. */
export function runProgram(performer: RunPerformer): AnyProgram {
  return {
    name: RUN_PROGRAM,
    begin: queuedRun,
    evolve: evolveRun,
    next: nextRunStep,
    isLook: isRunLook,
    isNews,
    isGivenUp: () => false,
    perform: performer.perform.bind(performer),
    project: projectRun,
  };
}

/** Counting tasks changes nothing that cannot be counted again; the other looks are steps of the run. */
function isNews(before: RunState, after: RunState): boolean {
  return (
    before.parameters !== after.parameters ||
    before.isStoreChecked !== after.isStoreChecked ||
    before.failure !== after.failure
  );
}

async function projectRun(trx: Transaction<Tables>, change: Change<RunState>): Promise<void> {
  const fact = change.fact as RunFact;
  const run = trx.updateTable('run').where('id', '=', change.subjectId);
  if (fact.type === 'noted') await run.set({ status: 'VALIDATING' }).execute();
  if (fact.type === 'settled' && fact.effect.type === 'queueTasks' && fact.reply.ok) {
    await run.set({ status: 'RUNNING' }).execute();
  }
  if (fact.type !== 'ended') return;
  const { status, reason, warnings } = fact.verdict;
  await run
    .set({
      status,
      reason: reason === null ? null : JSON.stringify(reason),
      warnings: JSON.stringify(warnings),
      ended_at: new Date(fact.at),
    })
    .execute();
}
