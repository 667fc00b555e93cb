import { runSimulator } from './run-simulator.ts';

const stopping = new AbortController();
const stop = (): void => stopping.abort();
process.once('SIGINT', stop);
process.once('SIGTERM', stop);
process.exitCode = await runSimulator(process.argv.slice(2), {
  print: (text) => process.stdout.write(text),
  complain: (text) => process.stderr.write(text),
  stop: stopping.signal,
});
