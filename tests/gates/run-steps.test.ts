import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { projectFolder } from '../../tools/check/folders.ts';
import { runSteps } from '../../tools/check/run-steps.ts';
import { listProjectFiles } from '../../tools/check/source-files.ts';
import type { Step } from '../../tools/check/step.ts';
import { listSteps, selectSteps } from '../../tools/check/steps.ts';

let logFolder: string;
beforeEach(() => {
  logFolder = mkdtempSync(join(tmpdir(), 'stillpoint-gate-'));
});
afterEach(() => rmSync(logFolder, { recursive: true, force: true }));

const good = { passed: 1, failed: 0, output: 'all of it' };

function step(name: string, after: string[], cores: 1 | 2, run: Step['run']): Step {
  return { name, after, cores, run };
}

it('a step begins only after those it must follow, and never more than two cores are used', async () => {
  const going = new Set<Step>();
  const order: string[] = [];
  const steps: Step[] = [];
  const add = (name: string, after: string[], cores: 1 | 2) => {
    const self = step(name, after, cores, async () => {
      going.add(self);
      order.push(name);
      expect([...going].reduce((sum, one) => sum + one.cores, 0)).toBeLessThanOrEqual(2);
      await new Promise(setImmediate);
      going.delete(self);
      return good;
    });
    steps.push(self);
  };
  add('late', ['first', 'wide'], 1);
  add('wide', [], 2);
  add('first', [], 1);
  add('second', [], 1);
  const ended = await runSteps(steps, { logFolder, onEnd: () => {} });
  expect(ended.map(({ name }) => name)).toEqual(['late', 'wide', 'first', 'second']);
  expect(order.indexOf('late')).toBeGreaterThan(Math.max(order.indexOf('first'), order.indexOf('wide')));
});

it('a step that breaks is one failure, and the others go on', async () => {
  const broken = step('broken', [], 1, () => Promise.reject(new Error('no such tool')));
  const ended = await runSteps([broken, step('fine', ['broken'], 1, async () => good)], {
    logFolder,
    onEnd: () => {},
  });
  expect(ended).toMatchObject([
    { failed: 1, output: expect.stringContaining('no such tool') },
    { passed: 1 },
  ]);
  expect(readFileSync(join(logFolder, 'fine.log'), 'utf8')).toBe('all of it');
});

it('steps that wait for each other are a bug, not a wait for ever', async () => {
  const circle = [step('a', ['b'], 1, async () => good), step('b', ['a'], 1, async () => good)];
  await expect(runSteps(circle, { logFolder, onEnd: () => {} })).rejects.toThrow('wait for each other: a, b');
});

it('a named step brings those it must follow', () => {
  const steps = [
    step('a', [], 1, async () => good),
    step('b', ['a'], 1, async () => good),
    step('c', [], 1, async () => good),
  ];
  expect(selectSteps(steps, ['b']).map(({ name }) => name)).toEqual(['a', 'b']);
  expect(selectSteps(steps, [])).toHaveLength(3);
});

it('every test file belongs to a step, and every generator too', () => {
  const names = new Set(listSteps(projectFolder).map(({ name }) => name));
  const files = listProjectFiles(projectFolder);
  const tests = files.filter((path) => /\.test\.[a-z]+$/.test(path));
  const homeless = tests.filter((path) => {
    const folder = /^tests\/([^/]+)\/.*\.test\.ts$/.exec(path)?.[1];
    return folder === undefined ? !/^packages\/[^/]+\/src\/.*\.test\.ts$/.test(path) : !names.has(folder);
  });
  expect(tests.length).toBeGreaterThan(0);
  expect(homeless).toEqual([]);
  expect(names).toContain('generate-errors');
});
