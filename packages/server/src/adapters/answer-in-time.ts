import { setTimeout as sleep } from 'node:timers/promises';

const asked = new Map<string, Promise<unknown>>();

/**
 * What a file system answers, or null when that takes longer than `withinMs` milliseconds. A file call that hangs in the
 * kernel keeps one of the few threads that this process also resolves names with, so a question that waits for its answer
 * is not asked a second time.
 */
export async function answerInTime<Answer>(
  question: string,
  ask: () => Promise<Answer>,
  withinMs: number,
): Promise<Answer | null> {
  const known = asked.get(question) as Promise<Answer> | undefined;
  const answer = known ?? ask().finally(() => asked.delete(question));
  asked.set(question, answer);
  const patience = new AbortController();
  const silence = sleep(withinMs, null, { signal: patience.signal }).catch(() => null);
  try {
    return await Promise.race([answer, silence]);
  } finally {
    patience.abort();
  }
}
