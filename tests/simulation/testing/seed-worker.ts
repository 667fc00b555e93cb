import { parentPort } from 'node:worker_threads';
import { runHistory } from './run-history.ts';

// A thread of its own for the histories of many seeds: it is sent one seed after the other.
parentPort?.on('message', (seed: number) => {
  void runHistory({ seed }).then(({ lines: _lines, ...history }) => parentPort?.postMessage(history));
});
