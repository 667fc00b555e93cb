import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectFolder } from '../check/folders.ts';
import { DemoFailure } from './demo-failure.ts';
import type { DemoFolder } from './demo-folder.ts';
import { ownEnvironment } from './own-environment.ts';

const run = promisify(execFile);

/** Applies the document with the `stillpoint` command, as an operator does. */
export async function applyWithCommand({ data, applyFile, path }: DemoFolder): Promise<void> {
  const main = join(projectFolder, 'packages/cli/src/main.ts');
  try {
    await run(process.execPath, [main, '--data', data, 'apply', '-f', applyFile], {
      cwd: path,
      env: ownEnvironment(process.env),
    });
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: string };
    throw new DemoFailure(`${applyFile} could not be applied: ${stderr.trim() || message}`);
  }
}
