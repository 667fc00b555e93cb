import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BodyPiece } from '../faults/damage-document.ts';
import type { Sending } from '../faults/deliver.ts';

/** How the sending of an answer ended. */
export type SendingEnd = 'sent' | 'reset' | 'close' | 'client-gone';

/**
 * Writes the answers of a batch one after the other into one response, at the pace the client reads.
 * `record` is called once, before the client can see the end: who has the answer finds it in the log.
 */
export async function sendAnswers(
  response: ServerResponse,
  sendings: readonly Sending[],
  lose: (how: 'reset' | 'close') => void,
  record: (end: SendingEnd) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const first = sendings[0];
  if (first === undefined) {
    throw new Error('there is no answer to send');
  }
  response.writeHead(first.status, first.headers);
  response.flushHeaders();
  if (first.declaration !== '') {
    response.write(first.declaration);
  }
  for (const sending of sendings) {
    const end = await sendBody(response, sending, signal);
    if (end !== 'sent') {
      await record(end);
      lose(end === 'reset' ? 'reset' : 'close');
      return;
    }
  }
  await record('sent');
  response.end();
  if (!response.closed) {
    await once(response, 'close');
  }
}

async function sendBody(
  response: ServerResponse,
  sending: Sending,
  signal: AbortSignal,
): Promise<SendingEnd> {
  const { cut, trickle } = sending;
  const pieces = trickle === undefined ? sending.body : inDrops(sending.body, trickle, signal);
  let left = cut?.afterBytes ?? Number.POSITIVE_INFINITY;
  for await (const piece of pieces) {
    const part = piece.length > left ? piece.slice(0, left) : piece;
    left -= piece.length;
    if (response.destroyed || signal.aborted) {
      return 'client-gone';
    }
    if (part.length > 0 && !response.write(part)) {
      await drained(response);
    }
    if (cut !== undefined && left <= 0) {
      await flushed(response);
      return cut.how;
    }
  }
  return 'sent';
}

async function* inDrops(
  body: AsyncIterable<BodyPiece>,
  pace: { readonly bytes: number; readonly everyMs: number },
  signal: AbortSignal,
): AsyncIterable<BodyPiece> {
  for await (const piece of body) {
    for (let start = 0; start < piece.length; start += pace.bytes) {
      await sleep(pace.everyMs, undefined, { signal });
      yield piece.slice(start, start + pace.bytes);
    }
  }
}

async function drained(response: ServerResponse): Promise<void> {
  const over = new AbortController();
  await Promise.race([
    once(response, 'drain', { signal: over.signal }),
    once(response, 'close', { signal: over.signal }),
  ]).catch(() => undefined);
  over.abort();
}

// What was written before a reset has to reach the client, otherwise the fault strikes too early.
function flushed(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    if (response.destroyed) {
      resolve();
      return;
    }
    response.once('close', resolve);
    response.write('', () => resolve());
  });
}
