import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { beginScene } from './testing/begin-scene.ts';
import { cleanEnvironment } from './testing/clean-environment.ts';
import { startServerProcess } from './testing/start-server-process.ts';

const program = fileURLToPath(new URL('../../packages/server/src/database-main.ts', import.meta.url));

/** `stillpoint database …`, as the command starts it. */
async function moveDatabase(...args: string[]): Promise<void> {
  await promisify(execFile)(process.execPath, [program, ...args], { env: cleanEnvironment({}) });
}

it('a server on an imported database undoes what had begun, and then does what was waiting', async () => {
  await using scene = await beginScene();
  scene.fleet.orderFault({ kind: 'trickle', operation: 'do-backup', bytes: 64, everyMs: 50 });
  const begun = await scene.startRun('export');
  await scene.until(() => expect(scene.device.domain('A').phase).toBe('quiesced'));
  const waiting = await scene.startRun('secure');
  await scene.until(async () => {
    expect((await scene.run(waiting)).status).toBe('RUNNING');
    expect(await scene.tasks(waiting)).toMatchObject([{ status: 'WAITING' }]);
  });
  await scene.server.end('SIGKILL');

  const { room } = scene;
  const moved = join(room.work, 'moved');
  mkdirSync(moved, { mode: 0o711 });
  copyFileSync(join(room.data, 'secret.key'), join(moved, 'secret.key'));
  const file = join(room.work, 'database.export.gz');
  await moveDatabase('export', file, '--data', room.data);
  await moveDatabase('import', file, '--data', moved);
  expect(scene.device.domain('A').phase).toBe('quiesced');

  scene.server = await startServerProcess({ ...room, data: moved });
  const { startedAt } = scene.server;
  await scene.until(async () => expect((await scene.run(waiting)).status).toBe('SUCCEEDED'));
  expect(await scene.run(begun)).toMatchObject({ status: 'FAILED' });
  expect(await scene.tasks(begun)).toMatchObject([{ status: 'FAILED', reasonCode: 'INTERRUPTED' }]);
  expect(await scene.guards()).toEqual([]);
  const [undone] = scene.requestsSince(startedAt, 'DomainUnquiesce');
  const [next] = scene.requestsSince(startedAt, 'QuiesceDP');
  expect(Date.parse(undone?.at ?? '')).toBeLessThan(Date.parse(next?.at ?? ''));
  console.log(`unquiesced ${Date.parse(undone?.at ?? '') - startedAt} ms after the start of the server`);
});
