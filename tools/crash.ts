// `npm run crash [-- --kills N] [--seed S]`: the random kills of the crash tests alone, as many as asked for (1,000).

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { projectFolder } from './check/folders.ts';

const usage = 'Usage: npm run crash [-- --kills N] [--seed S]';

function readOptions(): Record<string, string> | undefined {
  try {
    const { values } = parseArgs({
      options: { kills: { type: 'string', default: '1000' }, seed: { type: 'string' } },
    });
    const given = Object.values(values);
    if (!given.every((value) => /^[1-9]\d{0,8}$/.test(value))) return undefined;
    return {
      STILLPOINT_KILLS: values.kills,
      ...(values.seed === undefined ? {} : { STILLPOINT_SEED: values.seed }),
    };
  } catch {
    return undefined;
  }
}

const options = readOptions();
if (options === undefined) {
  console.error(usage);
  process.exit(2);
}
const vitest = join(projectFolder, 'node_modules', 'vitest', 'vitest.mjs');
const child = spawn(process.execPath, [vitest, 'run', 'tests/crash/kill-at-random.test.ts'], {
  cwd: projectFolder,
  env: { ...process.env, ...options },
  stdio: 'inherit',
});
const [code] = await once(child, 'exit');
process.exitCode = code ?? 1;
