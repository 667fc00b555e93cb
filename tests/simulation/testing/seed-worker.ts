import { parentPort } from 'node:worker_threads';
import { runHistory } from './run-history.ts';

// A thread of its own for the histories of many seeds: it is sent one seed after the other.
parentPort?.on('message', async (seed: number) => {
  const { lines: _lines, ...history } = await runHistory({ seed });
  parentPort?.postMessage(history);
});
