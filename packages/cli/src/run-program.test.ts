import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runProgram } from './run-program.ts';
import { beginTrial, type Trial } from './trial.ts';

let folder: string;
let trial: Trial | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stillpoint-program-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
  await trial?.end();
  trial = undefined;
});

async function programOf(source: string): Promise<URL> {
  const file = join(folder, 'program.mjs');
  await writeFile(file, source);
  return pathToFileURL(file);
}

test('the exit code of the program is ours', async () => {
  const file = await programOf(
    "process.exitCode = process.argv[2] === '--x' && process.argv[3] === 'a b' && process.env.FACT === 'y' ? 7 : 1;",
  );
  expect(await runProgram(file, ['--x', 'a b'], { FACT: 'y' })).toBe(7);
});

test('a program that a signal ended gives 128 and the number of the signal', async () => {
  expect(await runProgram(await programOf("process.kill(process.pid, 'SIGKILL');"), [], {})).toBe(137);
});

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
  '%s is passed on, and the program ends as it likes',
  async (signal) => {
    const file = await programOf(
      "process.on(process.argv[2], () => process.exit(9)); setInterval(() => {}, 1000); console.log('ready');",
    );
    const starter = join(folder, 'starter.mjs');
    const runProgramUrl = new URL('./run-program.ts', import.meta.url).href;
    await writeFile(
      starter,
      `import { runProgram } from ${JSON.stringify(runProgramUrl)};
process.exitCode = await runProgram(new URL(${JSON.stringify(file.href)}), [${JSON.stringify(signal)}], {});`,
    );
    const outer: ChildProcess = spawn(process.execPath, [starter], { stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = once(outer, 'exit');
    if (outer.stdout !== null) await once(outer.stdout, 'data');
    outer.kill(signal);
    expect(await exited).toEqual([9, null]);
  },
);

test.each(['serve', 'simulator'])(
  '%s starts its own program with every argument after its name',
  async (name) => {
    const started: unknown[] = [];
    trial = await beginTrial(
      {},
      {
        startProgram: async (file, args, environment) => {
          started.push(file.pathname.split('/').slice(-4).join('/'), args, environment);
          return 5;
        },
      },
    );
    const after = ['--help', '--data', 'x', '--', 'serve', '--json'];
    expect((await trial.run('--data', 'mine', name, ...after)).exitCode).toBe(5);
    const program = `packages/${name === 'serve' ? 'server' : 'simulator'}/src/main.ts`;
    expect(started).toEqual([program, after, { STILLPOINT_DATA: join(trial.folder, 'mine') }]);
  },
);

test.each(['export', 'import'])('database %s starts the program that opens databases', async (name) => {
  const started: unknown[] = [];
  trial = await beginTrial(
    {},
    {
      startProgram: async (file, args, environment) => {
        started.push(file.pathname.split('/').slice(-4).join('/'), args, environment);
        return 4;
      },
    },
  );
  const after = ['out.gz', '--database-url-file', 'x', '--help'];
  expect((await trial.run('--data', 'mine', '--json', 'database', name, ...after)).exitCode).toBe(4);
  const told = [name, '--data', join(trial.folder, 'mine'), '--json', ...after];
  expect(started).toEqual(['packages/server/src/database-main.ts', told, {}]);
});
