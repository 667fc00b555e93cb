import {
  channelsToTell,
  evolveRun,
  isRunLook,
  nextRunStep,
  queuedRun,
  type RunEffect,
  type RunFact,
  type RunState,
} from '@stillpoint/core';
import type { AnyProgram, Change } from '@stillpoint/engine';
import type { Records } from './ports.ts';
import type { RunPerformer } from './run-performer.ts';

/** The name under which the engine hosts runs, and of their queue. */
export const RUN_PROGRAM = 'run';

/** A run as the engine hosts it: core decides, the performer does, the records show. */
export function runProgram<Transaction>(
  performer: Pick<RunPerformer<Transaction>, 'perform'>,
  records: Pick<Records<Transaction>, 'runs' | 'notices'>,
): AnyProgram<Transaction> {
  return {
    name: RUN_PROGRAM,
    begin: queuedRun,
    evolve: evolveRun,
    next: nextRunStep,
    isLook: isRunLook,
    isNews,
    isGivenUp: ({ isScriptGivenUp }: RunState, { type }: RunEffect) =>
      isScriptGivenUp && (type === 'runPreScript' || type === 'runPostScript'),
    perform: performer.perform.bind(performer),
    project: (trx: Transaction, change: Change<RunState>) => projectRun(trx, records, change),
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

async function projectRun<Transaction>(
  trx: Transaction,
  { runs, notices }: Pick<Records<Transaction>, 'runs' | 'notices'>,
  change: Change<RunState>,
): Promise<void> {
  const fact = change.fact as RunFact;
  const { subjectId } = change;
  if (fact.type === 'noted') await runs.markRun(trx, subjectId, 'VALIDATING');
  if (fact.type === 'settled' && fact.effect.type === 'queueTasks' && fact.reply.ok) {
    await runs.markRun(trx, subjectId, 'RUNNING');
  }
  if (fact.type === 'ended') {
    await runs.endRun(trx, subjectId, fact.at, fact.verdict);
    const told = channelsToTell(change.after.spec.plan.notify, fact.verdict.status);
    if (told.length > 0) await notices.enterDigests(trx, subjectId, told);
  }
}
