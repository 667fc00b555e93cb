import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { projectFolder } from '../check/folders.ts';

/** How the demo was called. */
export interface DemoOptions {
  readonly isOnce: boolean;
  readonly isJson: boolean;
  readonly isFresh: boolean;
  /** Absolute path of the one folder in which the demo keeps everything. */
  readonly folder: string;
}

/** What `--help` says. */
export const demoUsage = `Usage: npm run demo -- [--once] [--json] [--fresh] [--data-folder FOLDER]

Starts a pretend fleet and a server on this machine, runs a plan, and stays up until Ctrl-C.

  --once                end after the run: exit code 0 when all went as it should, else 1
  --json                print one JSON document about the run, and nothing else, on standard output
  --fresh               begin by emptying the folder of the demo
  --data-folder FOLDER  where the demo keeps everything (demo-data in the checkout)
`;

/** Reads the arguments; null when help is asked for; throws a sentence about what cannot be understood. */
export function readDemoOptions(args: readonly string[]): DemoOptions | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      once: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      fresh: { type: 'boolean', default: false },
      'data-folder': { type: 'string', default: join(projectFolder, 'demo-data') },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return null;
  const folder = resolve(values['data-folder']);
  return { isOnce: values.once, isJson: values.json, isFresh: values.fresh, folder };
}
