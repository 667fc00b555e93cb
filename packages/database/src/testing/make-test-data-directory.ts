import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A folder for tests that start, kill and corrupt embedded servers. */
export type TestDataDirectory = {
  readonly path: string;
  /** Ends every server that still works below the folder, removes the folder, and resolves when both are done. */
  dispose(): Promise<void>;
};

const guardProgram = fileURLToPath(new URL('./data-directory-guard.ts', import.meta.url));

/** Makes an empty folder whose servers and files are gone after `dispose`, or when this process ends without it. */
export function makeTestDataDirectory(): TestDataDirectory {
  const path = mkdtempSync(join(tmpdir(), 'stillpoint-data-'));
  const guard = spawn(process.execPath, [guardProgram, path], {
    detached: true,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  return { path, dispose: () => endGuard(guard) };
}

/** The guard does its work as soon as the other end of its input is closed, by us or by our death. */
async function endGuard(guard: ChildProcess): Promise<void> {
  if (guard.exitCode !== null) return;
  const exited = once(guard, 'exit');
  guard.stdin?.end();
  await exited;
}
