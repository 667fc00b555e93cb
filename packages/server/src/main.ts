import { openCodeCache } from './code-cache.ts';
import { readServeOptions } from './read-serve-options.ts';

// What is not imported here is imported when the cache of compiled code is open, for that halves what a start costs.

/** Exit codes as the command has them. */
const EXIT = { ok: 0, usage: 2 } as const;

async function main(): Promise<number> {
  const read = readServeOptions(process.argv.slice(2), process.env);
  if (read.kind === 'help') {
    process.stdout.write(read.text);
    return EXIT.ok;
  }
  if (read.kind === 'usage') {
    process.stderr.write(`${read.problem}\n\n${read.usage}`);
    return EXIT.usage;
  }
  // Before anything is begun that would have to be ended in order.
  const stop = askedToStop();
  const codeCache = openCodeCache(read.options.data);
  const { serve } = await import('./serve.ts');
  return serve(read.options, codeCache, stop);
}

function askedToStop(): AbortSignal {
  const asked = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => asked.abort());
  return asked.signal;
}

process.exitCode = await main();
