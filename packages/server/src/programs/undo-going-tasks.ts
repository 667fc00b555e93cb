import { reasonOf, type TaskCommand } from '@stillpoint/core';
import type { Clock, Engine } from '@stillpoint/engine';
import { TASK_PROGRAM } from './task-program.ts';

/** What is going on is told to stop, so that no device waits quiesced for the next start; resolves after `undoMs` at most. */
export async function undoGoingTasks<Transaction>(
  engine: Engine<Transaction>,
  clock: Pick<Clock, 'after'>,
  undoMs: number,
): Promise<void> {
  const reason = reasonOf('INTERRUPTED', 'The server was stopped.');
  const command: TaskCommand = { type: 'cancel', status: 'FAILED', sparesStarted: false, reason };
  const left = new Set(engine.going(TASK_PROGRAM));
  if (left.size === 0) return;
  await new Promise<void>((resolve) => {
    const onEnded = ({ subjectId }: { subjectId: string }): void => {
      left.delete(subjectId);
      if (left.size === 0) finish();
    };
    const finish = (): void => {
      callOff();
      engine.off('ended', onEnded);
      resolve();
    };
    const callOff = clock.after(undoMs, finish);
    engine.on('ended', onEnded);
    for (const subjectId of left) {
      engine.tell(subjectId, command).then(
        (isTold) => isTold || onEnded({ subjectId }),
        () => onEnded({ subjectId }),
      );
    }
  });
}
