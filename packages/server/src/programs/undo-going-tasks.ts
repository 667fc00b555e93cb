import { reasonOf, type TaskCommand } from '@stillpoint/core';
import { type Clock, type Engine, pause } from '@stillpoint/engine';
import { TASK_PROGRAM } from './task-program.ts';

/** How soon a task is told again that could not be told. */
const LOOK_EVERY_MS = 200;

/** A task that was parked goes on again within this time, or in other hands. */
const GONE_AFTER_MS = 2_000;

/** What of an engine is needed here. */
export type GoingTasks = Pick<Engine<unknown>, 'drain' | 'going' | 'tell'> &
  Record<
    'on' | 'off',
    (event: 'ended' | 'putOff', listener: (task: { readonly subjectId: string }) => void) => unknown
  >;

/**
 * Begins nothing more, and tells what is going on to stop, so that no device waits quiesced for the next start; also
 * what is taken hold of meanwhile. Resolves when all of it has ended, after `undoMs` at most.
 */
export async function undoGoingTasks(
  engine: GoingTasks,
  clock: Pick<Clock, 'after' | 'elapsed'>,
  undoMs: number,
): Promise<void> {
  const reason = reasonOf('INTERRUPTED', 'The server was stopped.');
  const command: TaskCommand = { type: 'cancel', status: 'FAILED', sparesStarted: false, reason };
  const seenAt = new Map<string, number>();
  const told = new Set<string>();
  const ended = new Set<string>();
  let isDrained = false;
  let lookNow = (): void => undefined;
  const onEnded = ({ subjectId }: { readonly subjectId: string }): void => {
    ended.add(subjectId);
    lookNow();
  };
  // Neither this nor draining is waited for: a database that hangs must not use up the time of the others.
  const tell = (subjectId: string): void => {
    told.add(subjectId);
    engine.tell(subjectId, command).then(
      (isTold) => isTold || onEnded({ subjectId }),
      () => told.delete(subjectId),
    );
  };
  const isLeft = (): boolean => {
    for (const subjectId of engine.going(TASK_PROGRAM)) {
      if (!told.has(subjectId)) tell(subjectId);
      seenAt.set(subjectId, clock.elapsed());
    }
    return [...seenAt].some(
      ([subjectId, at]) => !ended.has(subjectId) && clock.elapsed() - at < GONE_AFTER_MS,
    );
  };
  const over = new AbortController();
  const callOff = clock.after(undoMs, () => over.abort());
  const untilNext = (end: () => void): void => {
    lookNow = end;
  };
  engine.on('ended', onEnded);
  engine.on('putOff', onEnded);
  void engine.drain().then(() => {
    isDrained = true;
    lookNow();
  });
  while ((isLeft() || !isDrained) && !over.signal.aborted)
    await pause(clock, LOOK_EVERY_MS, over.signal, untilNext);
  engine.off('ended', onEnded);
  engine.off('putOff', onEnded);
  callOff();
}
