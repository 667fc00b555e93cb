import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DomainView } from '../../packages/simulator/src/index.ts';
import { type Stillpoint, startStillpoint } from './testing/start-stillpoint.ts';

let stillpoint: Stillpoint;

beforeAll(async () => {
  stillpoint = await startStillpoint();
});
afterAll(() => stillpoint.finish());

const domainsNamed = (...names: string[]): Pick<DomainView, 'name'>[] => names.map((name) => ({ name }));

it('the worked example gives exactly its six tasks, in its order', async () => {
  const domains = domainsNamed('DOMAIN2', 'DOMAIN1', 'OTHER');
  const fleet = await stillpoint.connectFleet([
    { name: 'QA3' },
    { name: 'QA1' },
    { name: 'QA2' },
    { name: 'TEST8', domains },
    { name: 'TEST9', domains, isDown: true },
  ]);
  const { run, tasks, lines } = await stillpoint.runPlan({
    activities: [
      { secureBackup: { devices: 'QA*', certificate: 'dr-cert' } },
      { exportDomain: { devices: 'TEST8, TEST9', domains: 'DOMAIN*' } },
    ],
  });
  expect(lines).toEqual([
    'QA1 SUCCEEDED',
    'QA2 SUCCEEDED',
    'QA3 SUCCEEDED',
    'TEST8/DOMAIN1 SUCCEEDED',
    'TEST8/DOMAIN2 SUCCEEDED',
    'TEST9/DOMAIN* SKIPPED SKIPPED_DEVICE_NOT_AVAILABLE',
  ]);
  expect(tasks[5]?.sentence).toContain('The device TEST9 is not available:');
  expect(`${run.status} ${run.reasonCode}`).toBe('SUCCEEDED null');
  expect(run.counters).toMatchObject({ devices: 5, domains: 3, succeeded: 5, skipped: 1 });
  expect(fleet.sentTo('TEST8')).toEqual(['do-backup DOMAIN1 persisted', 'do-backup DOMAIN2 persisted']);
  expect(fleet.requests('TEST9')).toEqual([]);
  expect(stillpoint.store.files('TEST9')).toEqual([]);
  expect(stillpoint.store.files('QA1')).toHaveLength(7);
});

it('a device that refuses the login is one skipped task', async () => {
  const fleet = await stillpoint.connectFleet([{ name: 'locked', domains: domainsNamed('A', 'B') }]);
  fleet.device('locked').change({ password: 'changed-meanwhile' });
  const { run, lines } = await stillpoint.runPlan({
    activities: [{ exportDomain: { devices: 'locked', domains: '*' } }],
  });
  expect(lines).toEqual(['locked/* SKIPPED SKIPPED_DEVICE_NOT_AVAILABLE']);
  expect(`${run.status} ${run.reasonCode}`).toBe('SKIPPED ALL_TASKS_SKIPPED');
  expect(fleet.sentTo('locked')).toEqual([]);
});

it('a pattern that matches no device is one skipped task that names the pattern', async () => {
  const { run, tasks, lines } = await stillpoint.runPlan({
    activities: [
      { exportDomain: { devices: 'nobody*', domains: 'A' } },
      { secureBackup: { devices: 'tag:env=nowhere', certificate: 'dr-cert' } },
    ],
  });
  expect(lines).toEqual([
    'nobody*/A SKIPPED SKIPPED_NO_DEVICES_MATCHING_PATTERN',
    'tag:env=nowhere SKIPPED SKIPPED_NO_DEVICES_MATCHING_PATTERN',
  ]);
  expect(tasks[0]?.sentence).toContain('"nobody*"');
  expect(run.counters).toMatchObject({ devices: 0, domains: 0, skipped: 2 });
});

it('a disabled device is not matched, not even by its name', async () => {
  const fleet = await stillpoint.connectFleet([{ name: 'resting', domains: domainsNamed('A') }]);
  const { port, certificateSha256 } = fleet.device('resting').address;
  const address = { host: '127.0.0.1', somaPort: port, username: 'admin', tls: { pin: certificateSha256 } };
  await stillpoint.apply({ devices: [{ name: 'resting', ...address, enabled: false }] });
  const { lines } = await stillpoint.runPlan({
    activities: [{ exportDomain: { devices: 'resting', domains: 'A' } }],
  });
  expect(lines).toEqual(['resting/A SKIPPED SKIPPED_NO_DEVICES_MATCHING_PATTERN']);
  expect(fleet.requests('resting')).toEqual([]);
});

it('a pattern that matches no domain of a device is one skipped task; other devices are not concerned', async () => {
  const fleet = await stillpoint.connectFleet([
    { name: 'some-1', domains: domainsNamed('A') },
    { name: 'some-2', domains: domainsNamed('B') },
  ]);
  const { lines } = await stillpoint.runPlan({
    activities: [{ exportDomain: { devices: 'some-*', domains: 'B*' } }],
  });
  expect(lines).toEqual(['some-1/B* SKIPPED SKIPPED_NO_DOMAINS_MATCHING_PATTERN', 'some-2/B SUCCEEDED']);
  expect(fleet.sentTo('some-1')).toEqual([]);
  expect(stillpoint.store.filesUntimed('some-2')).toEqual(['some-2/domain/B/B-export-TIME-persisted.zip']);
});

it('a domain of API Connect is skipped, and those beside it are not', async () => {
  const domains = [{ name: 'APIC', isApiConnect: true }, { name: 'PLAIN' }];
  const fleet = await stillpoint.connectFleet([{ name: 'apic', domains }]);
  const { tasks, lines } = await stillpoint.runPlan({
    activities: [{ exportDomain: { devices: 'apic', domains: 'APIC,PLAIN', quiesce: true } }],
  });
  expect(lines).toEqual(['apic/APIC SKIPPED SKIPPED_APIC_DOMAIN', 'apic/PLAIN SUCCEEDED']);
  expect(tasks[0]?.sentence).toContain('The domain APIC of apic belongs to API Connect.');
  expect(fleet.sentTo('apic')).toEqual([
    'DomainQuiesce PLAIN',
    'do-backup PLAIN persisted',
    'DomainUnquiesce PLAIN',
  ]);
  expect(stillpoint.store.filesUntimed('apic')).toEqual([
    'apic/domain/PLAIN/PLAIN-export-TIME-persisted.zip',
  ]);
});

it('one device and domain that two activities match is a task in each', async () => {
  const fleet = await stillpoint.connectFleet([{ name: 'twice', domains: domainsNamed('A', 'B') }]);
  const { lines, run } = await stillpoint.runPlan({
    activities: [
      { exportDomain: { devices: 'twice', domains: 'A' } },
      { exportDomain: { devices: 'tw*', domains: '*,!default' } },
    ],
  });
  expect(lines).toEqual(['twice/A SUCCEEDED', 'twice/A SUCCEEDED', 'twice/B SUCCEEDED']);
  expect(run.counters).toMatchObject({ devices: 1, domains: 2 });
  expect(fleet.sentTo('twice')).toEqual([
    'do-backup A persisted',
    'do-backup A persisted',
    'do-backup B persisted',
  ]);
  expect(stillpoint.store.files('twice')).toHaveLength(3);
});

it('a preview tells the same tasks and sends nothing that changes a device', async () => {
  const fleet = await stillpoint.connectFleet([
    { name: 'seen-1', domains: domainsNamed('A') },
    { name: 'seen-2', isDown: true },
  ]);
  const name = await stillpoint.definePlan({
    activities: [{ exportDomain: { devices: 'seen-*', domains: 'A' } }],
  });
  const answer = await stillpoint.client.previewPlan({ params: { name } });
  const tasks = answer.ok ? answer.value.tasks : [];
  expect(tasks.map(({ device, domain, status, reasonCode }) => [device, domain, status, reasonCode])).toEqual(
    [
      ['seen-1', 'A', 'WAITING', null],
      ['seen-2', 'A', 'SKIPPED', 'SKIPPED_DEVICE_NOT_AVAILABLE'],
    ],
  );
  expect(fleet.sentTo('seen-1')).toEqual([]);
});
