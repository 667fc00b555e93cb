import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from './folders.ts';
import { runCommand } from './run-command.ts';

interface Cruise {
  readonly modules: readonly { readonly source: string }[];
  readonly summary: {
    readonly violations: readonly {
      readonly from: string;
      readonly to: string;
      readonly rule: { readonly name: string };
    }[];
    readonly ruleSetUsed?: {
      readonly forbidden?: readonly { readonly name: string; readonly comment?: string }[];
    };
  };
}

const folders = ['packages', 'tests', 'tools', 'bench'];

/**
 * Problems with import directions below `folder` by the project's `.dependency-cruiser.cjs`, one line each:
 * `RULE: FROM -> TO (reason)`. Also a problem: any of `sourceFiles` that the tool did not read.
 */
export async function checkBoundaries(folder: string, sourceFiles: readonly string[]): Promise<string[]> {
  const { stdout, output } = await runCommand(
    process.execPath,
    [
      join(projectFolder, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs'),
      '--config',
      join(projectFolder, '.dependency-cruiser.cjs'),
      '--output-type',
      'json',
      ...folders.filter((name) => existsSync(join(folder, name))),
    ],
    { folder, timeoutMs: 120_000 },
  );
  if (!stdout.trimStart().startsWith('{')) return [`dependency-cruiser gave no result: ${output}`];
  const cruise: Cruise = JSON.parse(stdout);
  const reasons = new Map(cruise.summary.ruleSetUsed?.forbidden?.map(({ name, comment }) => [name, comment]));
  const problems = cruise.summary.violations.map(
    ({ rule, from, to }) => `${rule.name}: ${from} -> ${to} (${reasons.get(rule.name) ?? 'no reason given'})`,
  );
  return [
    ...problems,
    ...findUnread(
      sourceFiles,
      cruise.modules.map((module) => module.source),
    ),
  ];
}

/** A tool that reads nothing finds nothing: every source file must be among the modules it read. */
export function findUnread(sourceFiles: readonly string[], read: readonly string[]): string[] {
  const modules = new Set(read);
  const unread = sourceFiles
    .filter((file) => !modules.has(file))
    .map((file) => `not read by dependency-cruiser: ${file}`);
  return sourceFiles.length === 0 ? ['there is no source file to read'] : unread;
}
