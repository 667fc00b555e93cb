import { reasonOf, type TaskCommand } from '@stillpoint/core';
import type { Clock, Engine } from '@stillpoint/engine';
import { pause } from './pause.ts';
import { TASK_PROGRAM } from './task-program.ts';

/** How soon it is seen that nothing goes on any more, and a task is told again that could not be told. */
const LOOK_EVERY_MS = 200;

/**
 * What is going on is told to stop, so that no device waits quiesced for the next start; also what is taken hold of
 * meanwhile. Resolves when nothing goes on any more, after `undoMs` at most.
 */
export async function undoGoingTasks(
  engine: Pick<Engine<unknown>, 'going' | 'tell'>,
  clock: Pick<Clock, 'after'>,
  undoMs: number,
): Promise<void> {
  const reason = reasonOf('INTERRUPTED', 'The server was stopped.');
  const command: TaskCommand = { type: 'cancel', status: 'FAILED', sparesStarted: false, reason };
  const told = new Set<string>();
  // Not waited for: a database that hangs must not use up the time of the others.
  const tell = (subjectId: string): void => {
    told.add(subjectId);
    engine.tell(subjectId, command).catch(() => told.delete(subjectId));
  };
  const over = new AbortController();
  const callOff = clock.after(undoMs, () => over.abort());
  try {
    while (!over.signal.aborted) {
      const going = engine.going(TASK_PROGRAM);
      if (going.length === 0) return;
      for (const subjectId of going) if (!told.has(subjectId)) tell(subjectId);
      await pause(clock, LOOK_EVERY_MS, over.signal);
    }
  } finally {
    callOff();
  }
}
