import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Paths (relative, sorted) of all files that belong to the project: tracked by git, or new and not ignored. */
export function listProjectFiles(folder: string): string[] {
  const list = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const paths = list.split('\0').filter((path) => path !== '' && existsSync(join(folder, path)));
  return [...new Set(paths)].sort();
}

/** The TypeScript files people wrote: those that every gate must have read. */
export function selectSourceFiles(paths: readonly string[]): string[] {
  return paths.filter((path) => /^(packages|tests|tools|bench)\/.*\.tsx?$/.test(path));
}
