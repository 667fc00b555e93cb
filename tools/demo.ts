// `npm run demo [-- --once] [--json] [--fresh]`: a pretend fleet, a server, and a run of a plan, on this machine alone.

import { DemoFailure } from './demo/demo-failure.ts';
import { type DemoOptions, demoUsage, readDemoOptions } from './demo/read-demo-options.ts';
import { runDemo } from './demo/run-demo.ts';

/** What a shell says of a command that Ctrl-C ended. */
const interruptedExitCode = 130;

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.abort());
// A reader that has seen enough (`| head`) ends the demo; whatever was started is still ended in order.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => stopping.abort());

async function main(options: DemoOptions): Promise<number> {
  const people = options.isJson ? process.stderr : process.stdout;
  try {
    const isAsItShould = await runDemo(options, {
      say: (lines) => people.write(`${lines}\n`),
      hand: (report) => options.isJson && process.stdout.write(`${JSON.stringify(report, null, 2)}\n`),
      stop: stopping.signal,
    });
    return isAsItShould ? 0 : 1;
  } catch (error) {
    if (error instanceof DemoFailure) {
      process.stderr.write(`${error.message}\n`);
      return 1;
    }
    if (stopping.signal.aborted && (error as Error).name === 'AbortError') return interruptedExitCode;
    throw error;
  }
}

function optionsOrExitCode(): DemoOptions | number {
  try {
    const options = readDemoOptions(process.argv.slice(2));
    if (options !== null) return options;
    process.stdout.write(demoUsage);
    return 0;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${demoUsage}`);
    return 2;
  }
}

const options = optionsOrExitCode();
process.exitCode = typeof options === 'number' ? options : await main(options);
