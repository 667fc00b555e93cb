import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { checkWords, readGlossary } from '../../tools/check/check-words.ts';

const words = readGlossary(readFileSync(new URL('../../docs/glossary.md', import.meta.url), 'utf8'));
const check = (path: string, text: string) => checkWords([{ path, text }], words);

it('the glossary forbids words and says where some are free', () => {
  expect(words).toContainEqual({ word: 'execution', term: 'run', except: [] });
  expect(words).toContainEqual({ word: 'job', term: 'task', except: ['packages/engine'] });
});

it.each([
  ['const applianceName = 1;', 'applianceName'],
  ['type DeviceJobs = 1;', 'DeviceJobs'],
  ['const shape = { last_execution: 1 };', 'last_execution'],
  ['function isCanceled() {}', 'isCanceled'],
])('%s uses a forbidden word', (text, name) => {
  expect(check('packages/core/src/plan.ts', text)).toEqual([expect.stringContaining(`"${name}"`)]);
});

it('a file name and a column are names too', () => {
  expect(check('packages/core/src/job-list.ts', '')).toHaveLength(1);
  expect(check('docs/schema.sql', 'create table run (job_id uuid); -- the job of a task')).toHaveLength(1);
});

it('where a word is free, it is free', () => {
  expect(check('packages/engine/src/drive.ts', 'const jobId = 1;')).toEqual([]);
  expect(check('packages/datapower/src/client.ts', 'const applianceClock = 1;')).toEqual([]);
});

it('prose, text and codes may say what they like', () => {
  const text = "// the job of an appliance\nconst text = 'appliance';\nconst EXECUTION_CANCELED = text;";
  expect(check('packages/core/src/plan.ts', text)).toEqual([]);
});

it('a glossary that forbids nothing is a broken glossary', () => {
  expect(checkWords([], [])).toHaveLength(1);
});
