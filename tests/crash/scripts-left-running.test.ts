import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isRunning } from '../../packages/server/src/testing/script-ground.ts';
import { beginScene, type Scene } from './testing/begin-scene.ts';
import { good } from './testing/good.ts';

// A script, its child, and one in a session of its own, all of which do not listen.
const lines = [
  '#!/bin/sh',
  "trap '' TERM HUP INT",
  'sleep 600 & echo $! >> pids',
  "setsid sh -c 'echo $$ >> pids; while :; do sleep 1; done' &",
  'echo $$ >> pids',
  'echo begun',
  'wait',
];

const pidsIn = ({ room }: Scene): number[] =>
  readFileSync(join(room.data, 'scripts', 'pids'), 'utf8')
    .trim()
    .split('\n')
    .map(Number);

async function beginPlanWithScript(): Promise<{ scene: Scene; runId: string }> {
  const scene = await beginScene();
  writeFileSync(join(scene.room.data, 'scripts', 'endless.sh'), lines.join('\n'), { mode: 0o755 });
  const exportDomain = { devices: 'dp1', domains: 'A' };
  const plan = {
    name: 'scripted',
    window: 'none' as const,
    prePlanScript: 'endless.sh',
    activities: [{ exportDomain }],
  };
  good(await scene.server.client.applyDocument({ body: { plans: [plan] }, query: {} }));
  const runId = await scene.startRun('scripted');
  await scene.until(() => expect(pidsIn(scene)).toHaveLength(3));
  return { scene, runId };
}

it('nothing of a script outlives the server that was killed once it is back', async () => {
  const { scene: begun, runId } = await beginPlanWithScript();
  await using scene = begun;
  const pids = pidsIn(scene);
  await scene.server.end('SIGKILL');
  expect(pids.map(isRunning)).toEqual([true, true, true]);
  await scene.restart();
  expect(pids.map(isRunning)).toEqual([false, false, false]);
  await scene.until(async () =>
    expect(await scene.run(runId)).toMatchObject({ status: 'FAILED', reasonCode: 'INTERRUPTED' }),
  );
  expect(scene.server.log()).toContain('processes of scripts outlived the server');
  console.log(
    `R-23: ${pids.length} processes of a script outlived a killed server, 0 of them its next start`,
  );
}, 60_000);

it('nothing of a script outlives a server that is told to stop', async () => {
  const { scene: begun } = await beginPlanWithScript();
  await using scene = begun;
  const pids = pidsIn(scene);
  expect((await scene.server.end('SIGTERM')).code).toBe(0);
  expect(pids.map(isRunning)).toEqual([false, false, false]);
}, 60_000);

it('a cancel ends a script that does not listen, and the run is cancelled', async () => {
  const { scene: begun, runId } = await beginPlanWithScript();
  await using scene = begun;
  const pids = pidsIn(scene);
  const askedAt = performance.now();
  good(await scene.server.client.cancelRun({ params: { id: runId } }));
  await scene.until(async () =>
    expect(await scene.run(runId)).toMatchObject({
      status: 'CANCELLED',
      reasonCode: 'EXECUTION_CANCELED_BY_OPERATOR',
    }),
  );
  const tookMs = Math.round(performance.now() - askedAt);
  expect(pids.map(isRunning)).toEqual([false, false, false]);
  expect(scene.fleet.log.map(({ operation }) => operation)).not.toContain('do-backup');
  console.log(`a cancel ended a run whose script ignores SIGTERM after ${tookMs} ms`);
}, 60_000);
