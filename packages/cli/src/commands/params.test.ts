import { afterEach, expect, test } from 'vitest';
import { beginTrial, type Replies, type Trial } from '../trial.ts';
import { aParameter } from '../trial-objects.ts';

let trial: Trial | undefined;

afterEach(async () => {
  await trial?.end();
  trial = undefined;
});

async function run(replies: Replies, ...args: string[]) {
  trial = await beginTrial(replies);
  return trial.run(...args);
}

test('params explain tells all there is to know', async () => {
  const { out } = await run(
    { 'GET /parameters/devices.parallel': aParameter },
    'params',
    'explain',
    'devices.parallel',
  );
  expect(out).toBe(`\
Parameter     devices.parallel
Meaning       devices worked on at once
Value         8
Default       16
Allowed       1 to 500
Unit          devices
Takes effect  within two seconds, on every node
`);
});

test('params set tells the value before and after', async () => {
  const replies: Replies = {
    'GET /parameters/devices.parallel': aParameter,
    'PUT /parameters/devices.parallel': { ...aParameter, value: 9 },
  };
  const { out } = await run(replies, 'params', 'set', 'devices.parallel', '9');
  expect(out).toBe('devices.parallel is 9 now; it was 8.\n');
});

const change = {
  id: '7',
  name: 'devices.parallel',
  changedAt: '2026-03-29T01:00:00.000Z',
  changedBy: 'operator',
  isSecret: false,
  before: null,
  after: 9,
};

test('params history lists changes, and of a secret one only that there was one', async () => {
  const secret = { ...change, id: '6', name: 'mail.password', isSecret: true, after: null };
  const replies = { 'GET /parameter-changes': { items: [change, secret], nextCursor: null } };
  const { out } = await run(replies, 'params', 'history');
  expect(out).toBe(`\
AT                        BY        PARAMETER         BEFORE  AFTER
2026-03-29T01:00:00.000Z  operator  devices.parallel  -       9
2026-03-29T01:00:00.000Z  operator  mail.password     secret  secret
`);
  expect(trial?.seen[0]?.url).toBe('/api/v1/parameter-changes?limit=40');
});

test('params history of one parameter asks for that one', async () => {
  const replies = { 'GET /parameter-changes': { items: [], nextCursor: null } };
  const { out } = await run(replies, 'params', 'history', 'queue.maxHours', '--limit', '3');
  expect(out).toBe('No parameter was changed.\n');
  expect(trial?.seen[0]?.url).toBe('/api/v1/parameter-changes?limit=3&name=queue.maxHours');
});
