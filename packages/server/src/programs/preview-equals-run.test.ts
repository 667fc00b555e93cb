import {
  type Activity,
  type Inventory,
  NO_RETRY,
  type Plan,
  parametersInForce,
  queuedRun,
} from '@stillpoint/core';
import type { Engine, Performance } from '@stillpoint/engine';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MemoryDatabase, type MemoryTransaction } from '../../../engine/src/testing/memory-database.ts';
import { MemoryJournal } from '../../../engine/src/testing/memory-journal.ts';
import { previewPlan } from '../app/preview-plan.ts';
import { RememberedDefinitions } from '../testing/remembered-definitions.ts';
import { rememberedRecords } from '../testing/remembered-records.ts';
import { RememberedRows } from '../testing/remembered-rows.ts';
import { sampleDevice } from '../testing/sample-device.ts';
import { samplePlan } from '../testing/sample-plan.ts';
import { sampleRun } from '../testing/sample-run.ts';
import { RunPerformer } from './run-performer.ts';

const CASES = 1_000;

const deviceNames = ['QA1', 'QA2', 'QA10', 'TEST8', 'TEST9', 'PROD', 'PROD-EU'];
const domainNames = ['default', 'DOMAIN1', 'DOMAIN2', 'DOMAIN10', 'payments', 'api', 'all-domains'];
const devicePatterns = [
  '*',
  'QA*',
  'QA1,QA2',
  '*,!QA*',
  'TEST8',
  'tag:env=QA',
  'nothing',
  'PROD',
  '*EU',
  'QA1, TEST*',
];
const domainPatterns = ['*', 'DOMAIN*', 'all-domains', 'default', '*,!default', 'payments,api', 'none'];

const common = {
  devices: fc.constantFrom(...devicePatterns),
  quiesce: fc.boolean(),
  errorPolicy: fc.constantFrom('plan' as const, 'halt' as const, 'ignore' as const),
};
const kept = { preTaskScript: null, postTaskScript: null, retry: NO_RETRY };
const activities: fc.Arbitrary<Activity> = fc.oneof(
  fc
    .record({ ...common, domains: fc.constantFrom(...domainPatterns) })
    .map((own): Activity => ({ ...kept, ...own, action: 'EXPORT_DOMAIN' })),
  fc.record(common).map(
    (own): Activity => ({
      ...kept,
      ...own,
      action: 'SECURE_BACKUP',
      certificate: 'dr-cert',
      includesIscsi: false,
      includesRaid: false,
    }),
  ),
);
const inventories: fc.Arbitrary<Inventory> = fc.oneof(
  { weight: 1, arbitrary: fc.constant({ isAvailable: false, detail: 'It is down.' } as const) },
  {
    weight: 4,
    arbitrary: fc
      .uniqueArray(fc.record({ name: fc.constantFrom(...domainNames), isApiConnect: fc.boolean() }), {
        selector: ({ name }) => name,
      })
      .map((domains) => ({ isAvailable: true, domains }) as const),
  },
);
const fleets = fc.array(
  fc.record({
    isEnabled: fc.boolean(),
    isTagged: fc.boolean(),
    inventory: inventories,
  }),
  { minLength: 1, maxLength: deviceNames.length },
);
const plans: fc.Arbitrary<Plan> = fc
  .array(activities, { minLength: 1, maxLength: 4 })
  .map((own) => samplePlan({ activities: own }));

/** One task as both say it. */
const lineOf = (
  task: { action: string; device: string; domain: string | null },
  code: string | null,
): string => [task.action, task.device, task.domain ?? '-', code ?? 'WAITING'].join(' ');

/** A fleet that answers when chance has it, so that answers come in any order. */
function fleetOf(answers: ReadonlyMap<string, Inventory>, asked: string[]) {
  return {
    async readInventory(device: string, wants: (domain: string) => boolean): Promise<Inventory> {
      asked.push(device);
      for (let turns = (device.length * 7) % 3; turns > 0; turns -= 1) await Promise.resolve();
      const inventory = answers.get(device) as Inventory;
      if (!inventory.isAvailable) return inventory;
      // Like the real one, which asks only about domains that matter.
      const domains = inventory.domains.map(({ name, isApiConnect }) => ({
        name,
        isApiConnect: isApiConnect && wants(name),
      }));
      return { isAvailable: true, domains };
    },
  };
}

async function tasksOfRun(plan: Plan, definitions: RememberedDefinitions, fleet: ReturnType<typeof fleetOf>) {
  const database = new MemoryDatabase();
  const rows = new RememberedRows();
  const journal = new MemoryJournal(database);
  const records = rememberedRecords(rows, journal, definitions, () => 0);
  let id = 0;
  const nothing = undefined as never;
  const performer = new RunPerformer<MemoryTransaction>({
    records,
    engine: () => ({ create: async () => undefined }) as unknown as Engine<MemoryTransaction>,
    definitions,
    fleet,
    store: nothing,
    scripts: nothing,
    parameters: async () => parametersInForce({}),
    clock: { now: () => 0 },
    newId: () => String(++id).padStart(6, '0'),
    hostTimezone: 'UTC',
  });
  const spec = sampleRun({ plan });
  await database.transact((trx) => records.runs.insertRun(trx, spec));
  const performance = {
    subjectId: spec.runId,
    signal: new AbortController().signal,
    transact: async (work: (trx: MemoryTransaction) => Promise<unknown>) => ({
      kind: 'done',
      value: await database.transact(work),
    }),
  } as unknown as Performance<MemoryTransaction>;
  const state = { ...queuedRun(spec), parameters: parametersInForce({}) };
  const reply = await performer.perform({ type: 'expandPlan' }, state, performance);
  expect(reply.ok).toBe(true);
  return [...rows.tasks.values()].map(({ spec: task, reason }) => lineOf(task, reason?.code ?? null));
}

it('the tasks of a preview are those of the run, in their order, over generated plans and fleets', async () => {
  let tasks = 0;
  let skipped = 0;
  await fc.assert(
    fc.asyncProperty(plans, fleets, async (plan, fleet) => {
      const devices = fleet.map(({ isEnabled, isTagged }, index) =>
        sampleDevice({ name: deviceNames[index] ?? '', isEnabled, tags: isTagged ? { env: 'QA' } : {} }),
      );
      const definitions = new RememberedDefinitions({ devices, plans: [plan] });
      const answers = new Map(fleet.map(({ inventory }, index) => [deviceNames[index] ?? '', inventory]));
      const [askedByPreview, askedByRun]: [string[], string[]] = [[], []];
      const preview = await previewPlan(plan, parametersInForce({}), {
        definitions,
        fleet: fleetOf(answers, askedByPreview),
        store: { check: async () => ({ ok: true, value: { freePercent: 50 } as never }) },
        scripts: { problemOf: async () => null },
        planHistory: { earlierBackups: async (places) => places.map(() => null) },
        now: () => 0,
        hostTimezone: 'UTC',
        remedyOf: () => '',
      });
      const ofPreview = preview.tasks.map((task) => lineOf(task, task.reasonCode));
      const ofRun = await tasksOfRun(plan, definitions, fleetOf(answers, askedByRun));
      expect(ofPreview).toEqual(ofRun);
      expect(askedByPreview).toEqual(askedByRun);
      expect(definitions.saves).toBe(0);
      tasks += ofRun.length;
      skipped += preview.tasks.filter(({ status }) => status === 'SKIPPED').length;
    }),
    { numRuns: CASES },
  );
  console.log(
    `preview equals run: ${CASES} plans and fleets, ${tasks} tasks, ${skipped} of them skipped; 0 differences`,
  );
  expect(tasks).toBeGreaterThan(CASES);
});
