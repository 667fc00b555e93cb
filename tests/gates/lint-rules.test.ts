import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectFolder } from '../../tools/check/folders.ts';
import { runCommand } from '../../tools/check/run-command.ts';
import { listSteps } from '../../tools/check/steps.ts';
import { type PlantedProject, plantProject } from './planted-project.ts';

const longFunction = `export function long(): number {\n${'  Math.random();\n'.repeat(61)}  return 1;\n}\n`;

/** What is planted, under which name, and what the step has to say about it. */
const planted: Readonly<
  Record<string, readonly (readonly [path: string, text: string, complaint: RegExp])[]>
> = {
  format: [['packages/store/src/ugly.ts', 'export const ugly = "double"', /ugly\.ts/]],
  lint: [
    ['packages/store/src/long.ts', longFunction, /long\.ts[\s\S]*noExcessiveLinesPerFunction/],
    [
      'packages/store/src/x.test.ts',
      "import { it } from 'vitest';\nit.skip('a', () => {});\n",
      /noSkippedTests/,
    ],
    [
      'packages/store/src/y.test.ts',
      "import { it } from 'vitest';\nit.only('a', () => {});\n",
      /noFocusedTests/,
    ],
    [
      'packages/store/src/warn.ts',
      'export function first(list: string[]): string {\n  return list[0]!;\n}\n',
      /warn\.ts/,
    ],
    [
      'packages/server/src/programs/clock.ts',
      'export const now = (): number => Date.now();\n',
      /programs\/clock\.ts[\s\S]*noRestrictedGlobals/,
    ],
  ],
  oxlint: [
    [
      'packages/store/src/float.ts',
      'export function go(): void {\n  Promise.resolve(1);\n}\n',
      /no-floating-promises/,
    ],
    [
      'packages/store/src/misuse.ts',
      'export const late = [1].filter(async () => true);\n',
      /no-misused-promises/,
    ],
    ['packages/store/src/any.ts', 'export const anything = (value: any) => value;\n', /no-explicit-any/],
    [
      'packages/store/src/thrown.ts',
      "export function fail(): never {\n  throw 'text';\n}\n",
      /only-throw-error/,
    ],
  ],
  types: [
    ['packages/store/src/wrong.ts', "export const wrong: number = 'text';\n", /wrong\.ts.*TS2322/],
    ['packages/store/src/stripped.ts', 'export enum Kind {\n  A,\n}\n', /stripped\.ts.*TS1294/],
    ['packages/store/src/maybe.ts', 'export const maybe: string = [""][0];\n', /maybe\.ts.*TS2322/],
  ],
  'types-core': [
    ['packages/core/src/process.ts', 'export const id = process.pid;\n', /process\.ts.*TS2/],
    ['packages/core/src/timer.ts', 'setTimeout(() => {}, 1);\nexport {};\n', /timer\.ts.*TS2/],
    ['packages/core/src/fetched.ts', "export const fetched = fetch('/');\n", /fetched\.ts.*TS2/],
    ['packages/core/src/file.ts', "export * from 'node:fs';\n", /file\.ts.*TS2/],
  ],
  'types-contract': [['packages/contract/src/env.ts', 'export const home = process.env;\n', /env\.ts.*TS2/]],
  unused: [
    ['packages/store/src/orphan.ts', 'export const orphan = 1;\n', /orphan\.ts/],
    ['packages/store/src/half.ts', 'export const used = 1;\nexport const idle = 2;\n', /idle.*half\.ts/],
    ['packages/store/src/index.ts', "export { used } from './half.ts';\nimport 'left-pad';\n", /left-pad/],
  ],
};

let project: PlantedProject;
const outputs = new Map<string, { exitCode: number; output: string }>();

beforeAll(async () => {
  const files = Object.values(planted).flat();
  project = plantProject(Object.fromEntries(files.map(([path, text]) => [path, text])));
  const steps = listSteps(projectFolder).filter((step) => step.name in planted);
  await Promise.all(
    steps.map(async ({ name, command = [] }) => {
      const [script = '', ...args] = command;
      const result = await runCommand(process.execPath, [join(projectFolder, script), ...args], {
        folder: project.folder,
        timeoutMs: 60_000,
        // oxlint looks for its companion only beside itself.
        environment: { OXLINT_TSGOLINT_PATH: join(projectFolder, 'node_modules/.bin/tsgolint') },
      });
      outputs.set(name, result);
    }),
  );
});
afterAll(() => project.remove());

describe.each(Object.entries(planted))('the step %s', (name, violations) => {
  it.each(violations)('names what is wrong with %s', (_path, _text, complaint) => {
    expect(outputs.get(name)?.output).toMatch(complaint);
  });

  it('fails', () => {
    expect(outputs.get(name)?.exitCode).toBeGreaterThan(0);
  });
});
