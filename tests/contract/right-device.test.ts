import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Stillpoint, startStillpoint } from './testing/start-stillpoint.ts';

const DEVICES = 50;
const DOMAINS = 4;

let stillpoint: Stillpoint;

beforeAll(async () => {
  stillpoint = await startStillpoint();
});
afterAll(() => stillpoint.finish());

it('no byte of a device is ever stored under another, with replies shuffled and some of them empty', {
  timeout: 180_000,
}, async () => {
  // Delays that are all different put the answers into another order than the questions.
  const devices = Array.from({ length: DEVICES }, (_, at) => ({
    name: `dp${at}`,
    latencyMs: (at * 37) % 60,
    domains: Array.from({ length: DOMAINS }, (_unused, domain) => ({ name: `D${domain}` })),
    faults: [
      { kind: 'empty-file' as const, operation: 'do-backup', skip: at % DOMAINS, times: 1 + (at % 2) },
    ],
  }));
  const fleet = await stillpoint.connectFleet(devices);
  await stillpoint.apply({ parameters: { 'devices.parallel': DEVICES } });
  const { run, tasks } = await stillpoint.runPlan({
    defaultErrorPolicy: 'ignore',
    activities: [{ exportDomain: { devices: 'dp*', domains: 'D*' } }],
  });
  expect(tasks).toHaveLength(DEVICES * DOMAINS);
  const failed = tasks.filter(({ status }) => status === 'FAILED');
  const empty = devices.flatMap(({ name }) =>
    fleet.requests(name).filter(({ outcome }) => outcome === 'empty-file'),
  );
  expect(empty.length).toBeGreaterThanOrEqual(DEVICES);
  expect(failed).toHaveLength(empty.length);

  let files = 0;
  for (const { name } of devices) {
    const served = new Set(fleet.requests(name).map(({ servedSha256 }) => servedSha256));
    for (const { files: stored, device } of await stillpoint.backups(name)) {
      expect(device).toBe(name);
      for (const { path, sha256 } of stored) {
        expect(path.split('/')[0]).toBe(name);
        expect(served).toContain(sha256);
        files += 1;
      }
    }
  }
  expect(files).toBe(tasks.length - failed.length);
  expect(run.status).toBe('PARTIAL');
  console.log(
    `R-08: ${tasks.length} tasks on ${DEVICES} devices over the real wire, ${empty.length} empty replies: ` +
      `${files} files, each served by the device it stands under, 0 bytes under another`,
  );
});
