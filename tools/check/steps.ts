import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkBoundaries } from './check-boundaries.ts';
import { checkDocs } from './check-docs.ts';
import { checkWords, readGlossary } from './check-words.ts';
import { projectFolder } from './folders.ts';
import { checkHouseRules, type ProjectFile } from './house-rules.ts';
import { runCommand } from './run-command.ts';
import { runTests } from './run-tests.ts';
import { listProjectFiles, selectSourceFiles } from './source-files.ts';
import { type Step, type StepResult, verdictOf } from './step.ts';
import { provideSystemPackages } from './system-packages.ts';

const toolTimeoutMs = 5 * 60_000;

/** Test folders that need nothing but npm's packages; all others wait for the system's packages. */
const selfSufficient = ['gates', 'simulation', 'wire'];

/** All steps of the check, in the order they are begun; test folders and generators are found, not listed. */
export function listSteps(folder: string): Step[] {
  const files = listProjectFiles(folder);
  return [
    statement('system-packages', provideSystemPackages),
    tool('format', '@biomejs/biome/bin/biome', ['format', '.']),
    tool('lint', '@biomejs/biome/bin/biome', [
      'check',
      '--formatter-enabled=false',
      '--error-on-warnings',
      '.',
    ]),
    tool('oxlint', 'oxlint/bin/oxlint', ['--type-aware', '--deny-warnings', '.']),
    tool('types', 'typescript/bin/tsc', ['-p', '.']),
    tool('types-core', 'typescript/bin/tsc', ['-p', 'packages/core']),
    tool('types-contract', 'typescript/bin/tsc', ['-p', 'packages/contract']),
    statement('boundaries', () => checkBoundaries(folder, selectSourceFiles(files))),
    tool('unused', 'knip/bin/knip.js', ['--no-progress', '--no-config-hints']),
    statement('house', () => checkHouseRules(readAll(folder, files))),
    statement('docs', () => checkDocs(readAll(folder, files))),
    statement('words', () => {
      const all = readAll(folder, files);
      return checkWords(all, readGlossary(all.find(({ path }) => path === 'docs/glossary.md')?.text ?? ''));
    }),
    ...listGenerators(files).map(generated),
    tests('unit', 'packages/', 2, []),
    ...listTestFolders(files).map((name) =>
      tests(name, `tests/${name}/`, 1, selfSufficient.includes(name) ? [] : ['system-packages']),
    ),
  ];
}

/** The named steps and those they must follow; all of them when none is named. */
export function selectSteps(steps: readonly Step[], names: readonly string[]): Step[] {
  if (names.length === 0) return [...steps];
  const wanted = new Set(names);
  for (const name of wanted)
    for (const before of steps.find((step) => step.name === name)?.after ?? []) wanted.add(before);
  return steps.filter((step) => wanted.has(step.name));
}

/** Folders below `tests/` that hold a test: each is a step of its own, so that none can be forgotten. */
function listTestFolders(files: readonly string[]): string[] {
  return [...new Set(files.flatMap((path) => /^tests\/([^/]+)\/.*\.test\.ts$/.exec(path)?.[1] ?? []))];
}

/** Every `tools/generate-NAME.ts` answers `--check` with exit code 0 when what it generates is up to date. */
function listGenerators(files: readonly string[]): string[] {
  return files.flatMap((path) => /^tools\/(generate-[^/]+)\.ts$/.exec(path)?.[1] ?? []);
}

/** A step that is one statement about the project: it holds when no problem is found. */
function statement(name: string, findProblems: () => string[] | Promise<string[]>): Step {
  return { name, after: [], cores: 1, run: async () => verdictOf(await findProblems()) };
}

function tool(name: string, script: string, args: readonly string[]): Step {
  const command = [join('node_modules', script), ...args];
  return { name, after: [], cores: 1, command, run: () => runNode(command) };
}

function generated(name: string): Step {
  return { name, after: [], cores: 1, run: () => runNode([`tools/${name}.ts`, '--check']) };
}

function tests(name: string, prefix: string, cores: 1 | 2, after: readonly string[]): Step {
  return { name, after, cores, run: () => runTests(name, prefix, cores) };
}

async function runNode(args: readonly string[]): Promise<StepResult> {
  const { exitCode, output } = await runCommand(process.execPath, args, {
    folder: projectFolder,
    timeoutMs: toolTimeoutMs,
  });
  return verdictOf(exitCode === 0 ? [] : [output, `exit code ${exitCode}`]);
}

function readAll(folder: string, files: readonly string[]): ProjectFile[] {
  return files
    .filter((path) => existsSync(join(folder, path)) && !/\.(woff2|png|zip|bin)$/.test(path))
    .map((path) => ({ path, text: readFileSync(join(folder, path), 'utf8') }));
}
