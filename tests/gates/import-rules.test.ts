import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkBoundaries, findUnread } from '../../tools/check/check-boundaries.ts';
import { type PlantedProject, plantProject } from './planted-project.ts';

/** Rule, importing file, imported module, file it resolves to. */
type Violation = readonly [rule: string, from: string, specifier: string, to: string];

const index = (name: string) => `packages/${name}/src/index.ts`;
const violations: readonly Violation[] = [
  ['no-circle', 'packages/store/src/a.ts', './b.ts', 'packages/store/src/b.ts'],
  ['no-unresolved', 'packages/store/src/lost.ts', './nowhere.ts', './nowhere.ts'],
  ...['core', 'database', 'engine', 'store', 'contract'].map(
    (name) =>
      [
        'stones-import-none-of-ours',
        `packages/datapower/src/${name}.ts`,
        `@stillpoint/${name}`,
        index(name),
      ] as const,
  ),
  ['stones-import-none-of-ours', 'packages/core/src/stone.ts', '@stillpoint/datapower', index('datapower')],
  [
    'stones-import-none-of-ours',
    'packages/simulator/src/stone.ts',
    '@stillpoint/datapower',
    index('datapower'),
  ],
  ['cli-and-web-import-only-contract', 'packages/cli/src/a.ts', '@stillpoint/server', index('server')],
  ['cli-and-web-import-only-contract', 'packages/cli/src/b.ts', '@stillpoint/core', index('core')],
  [
    'server-imports-no-client-and-no-pretence',
    'packages/server/src/pretend.ts',
    '@stillpoint/simulator',
    index('simulator'),
  ],
  [
    'simulator-only-in-tests-and-demo',
    'packages/server/src/pretend.ts',
    '@stillpoint/simulator',
    index('simulator'),
  ],
  [
    'simulator-only-in-tests-and-demo',
    'packages/cli/src/pretend.ts',
    '@stillpoint/simulator',
    index('simulator'),
  ],
  [
    'only-the-face-of-a-package',
    'packages/server/src/inside.ts',
    '../../core/src/hidden.ts',
    'packages/core/src/hidden.ts',
  ],
  [
    'only-the-face-of-a-package',
    'tests/e2e/inside.test.ts',
    '../../packages/core/src/hidden.ts',
    'packages/core/src/hidden.ts',
  ],
  [
    'doubles-only-in-tests',
    'packages/engine/src/double.ts',
    './testing/fake.ts',
    'packages/engine/src/testing/fake.ts',
  ],
  ['core-is-pure', 'packages/core/src/impure.ts', 'node:fs', 'fs'],
  ['core-needs-only-calendars', 'packages/core/src/borrowed.ts', 'zod', 'node_modules/zod'],
  ['wire-is-pure', 'packages/datapower/src/wire/socket.ts', 'node:net', 'net'],
  ['wire-is-pure', 'packages/datapower/src/wire/client.ts', 'undici', 'node_modules/undici'],
  ['contract-runs-in-a-browser', 'packages/contract/src/impure.ts', 'node:crypto', 'crypto'],
  ['app-sees-only-core', 'packages/server/src/app/stone.ts', '@stillpoint/engine', index('engine')],
  [
    'app-sees-only-core',
    'packages/server/src/app/up.ts',
    '../http/route.ts',
    'packages/server/src/http/route.ts',
  ],
  ['http-sees-only-app', 'packages/server/src/http/stone.ts', '@stillpoint/database', index('database')],
  [
    'http-sees-only-app',
    'packages/server/src/http/side.ts',
    '../adapters/port.ts',
    'packages/server/src/adapters/port.ts',
  ],
  [
    'adapters-know-no-route',
    'packages/server/src/adapters/up.ts',
    '../http/route.ts',
    'packages/server/src/http/route.ts',
  ],
  [
    'programs-see-only-ports',
    'packages/server/src/programs/stored.ts',
    'type:../adapters/port.ts',
    'packages/server/src/adapters/port.ts',
  ],
  [
    'programs-see-only-ports',
    'packages/server/src/programs/sql.ts',
    '@stillpoint/database',
    index('database'),
  ],
  [
    'programs-know-the-world-by-type',
    'packages/server/src/programs/sender.ts',
    '@stillpoint/datapower',
    index('datapower'),
  ],
  [
    'programs-run-in-any-time',
    'packages/server/src/programs/timer.ts',
    'node:timers/promises',
    'timers/promises',
  ],
  ['programs-run-in-any-time', 'packages/server/src/programs/query.ts', 'kysely', 'kysely'],
  [
    'movers-move-and-nothing-else',
    'packages/server/src/movers/sql.ts',
    '@stillpoint/database',
    index('database'),
  ],
  [
    'only-movers-touch-the-store',
    'packages/server/src/adapters/files.ts',
    '@stillpoint/store',
    index('store'),
  ],
  ['nobody-imports-main', 'packages/server/src/starter.ts', './main.ts', 'packages/server/src/main.ts'],
];

/** What looks like a violation and is none, imported as `import type` where it begins with `type:`. */
const allowed: readonly (readonly [from: string, specifier: string])[] = [
  ['packages/server/src/app/decide.ts', '@stillpoint/core'],
  ['packages/server/src/adapters/shapes.ts', 'type:@stillpoint/store'],
  ['packages/server/src/movers/move.ts', '@stillpoint/store'],
  ['packages/server/src/programs/host.ts', '@stillpoint/engine'],
  ['packages/server/src/programs/talk.ts', 'type:@stillpoint/datapower'],
  ['packages/cli/src/client.ts', '@stillpoint/contract'],
  ['packages/core/src/describe-schedule.ts', 'cronstrue'],
  ['packages/core/src/walk.test.ts', 'node:fs'],
  ['tests/e2e/fleet.test.ts', '@stillpoint/simulator'],
  ['tests/e2e/double.test.ts', '../../packages/engine/src/testing/fake.ts'],
  ['tools/demo.ts', '@stillpoint/simulator'],
  ['packages/datapower/src/wire/decode.ts', 'node:buffer'],
  ['packages/datapower/src/transport.ts', 'undici'],
];

const targets = {
  'packages/core/src/hidden.ts': '',
  'packages/engine/src/testing/fake.ts': '',
  'packages/server/src/adapters/port.ts': '',
  'packages/server/src/http/route.ts': '',
  'packages/server/src/main.ts': '',
  'packages/store/src/b.ts': "import * as it from './a.ts';\nexport default it;\n",
};

let project: PlantedProject;
let problems: string[];

beforeAll(async () => {
  const imports: readonly (readonly [string, string])[] = [
    ...violations.map(([, from, specifier]) => [from, specifier] as const),
    ...allowed,
  ];
  const files: Record<string, string> = { ...targets };
  for (const [from, specifier] of imports) {
    const [, type, target] = /^(type:)?(.*)$/.exec(specifier) ?? [];
    files[from] =
      `import ${type ? 'type ' : ''}* as it from '${target}';\nexport ${type ? 'type It = typeof it' : 'default it'};\n`;
  }
  project = plantProject(files);
  problems = await checkBoundaries(project.folder, Object.keys(files));
});
afterAll(() => project.remove());

describe('import rules', () => {
  it.each(violations)('%s: %s must not import %s', (rule, from, _, to) => {
    expect(
      problems.filter((problem) => problem.startsWith(`${rule}: ${from} -> `) && problem.includes(to)),
    ).not.toEqual([]);
  });

  it.each(allowed)('%s may import %s', (from) => {
    expect(problems.filter((problem) => problem.includes(from))).toEqual([]);
  });

  it('every rule has a planted violation', () => {
    const { forbidden } = createRequire(import.meta.url)('../../.dependency-cruiser.cjs');
    const rules = forbidden.map((rule: { name: string }) => rule.name);
    expect(new Set(violations.map(([rule]) => rule))).toEqual(new Set(rules));
  });

  it('every rule says why', () => {
    const { forbidden } = createRequire(import.meta.url)('../../.dependency-cruiser.cjs');
    for (const { comment, severity } of forbidden) {
      expect(comment).toMatch(/.{20,}/);
      expect(severity).toBe('error');
    }
  });

  it('a source file that the tool did not read is a problem', async () => {
    expect(problems.filter((problem) => problem.startsWith('not read'))).toEqual([]);
    expect(findUnread(['packages/a/src/a.ts'], [])).toEqual([
      'not read by dependency-cruiser: packages/a/src/a.ts',
    ]);
    expect(findUnread([], [])).toEqual(['there is no source file to read']);
  });

  it('a tool that cannot run at all is a problem', async () => {
    expect(await checkBoundaries('/proc/self/fd', [])).not.toEqual([]);
  });
});
