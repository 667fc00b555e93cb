import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { listOwnMounts } from './testing/own-mounts.ts';

const fixture = JSON.stringify(new URL('./testing/network-mount.ts', import.meta.url).href);

/** Opens a network mount in a process that does `step` and is killed then; its folder. */
async function openAndDie(step: string): Promise<string> {
  const program = `
    const { openNetworkMount } = await import(${fixture});
    const network = await openNetworkMount();
    console.log(network.folder);
    ${step}
    process.kill(process.pid, 'SIGKILL');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said, [, signal]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  expect(signal).toBe('SIGKILL');
  expect(basename(said.trim())).toMatch(/^stillpoint-mount-/);
  return said.trim();
}

it.each([
  ['nothing has become of it', ''],
  ['it hangs', 'await network.stop();'],
  ['its connection is lost', 'await network.disconnect();'],
  ['it was unmounted', 'network.unmount();'],
])('a network mount leaves nothing when the process that made it is killed while %s', async (_, step) => {
  const folder = await openAndDie(step);
  await expect.poll(() => existsSync(folder), { timeout: 20_000, interval: 20 }).toBe(false);
  expect(listOwnMounts(folder)).toEqual([]);
});
