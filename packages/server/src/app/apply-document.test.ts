import { type ApplyDocumentInput, applyDocumentShape } from '@stillpoint/contract';
import { describe, expect, it } from 'vitest';
import { RememberedDefinitions } from '../testing/remembered-definitions.ts';
import { applyDocument } from './apply-document.ts';

const NOW = Date.UTC(2026, 2, 29);
const qa1 = {
  name: 'QA1',
  host: 'qa1',
  username: 'backup',
  password: 'secret-1',
  tls: { insecure: true },
} as const;
const { password: _, ...qa1WithoutPassword } = qa1;
const nightly = { name: 'nightly', activities: [{ exportDomain: { devices: 'QA*', domains: '*' } }] };
const document = {
  parameters: { 'devices.parallel': 4, 'window.default': ['22:00-06:00', '12:00-13:00'] },
  devices: [qa1],
  plans: [nightly],
};

function apply(
  definitions: RememberedDefinitions,
  input: ApplyDocumentInput,
  dryRun = false,
): ReturnType<typeof applyDocument> {
  return applyDocument(applyDocumentShape.parse(input), { dryRun }, definitions, () => NOW, 'UTC');
}

type Applied = Awaited<ReturnType<typeof applyDocument>>;

const outcomes = (outcome: Applied): string[] =>
  outcome.ok ? outcome.value.objects.map(({ kind, name, outcome: what }) => `${kind} ${name} ${what}`) : [];

const mistakes = (outcome: Applied): string[] =>
  outcome.ok ? [] : (outcome.problem.errors ?? []).map(({ path, code }) => `${path} ${code}`);

describe('a document', () => {
  it('creates what it names, in its own order', async () => {
    const definitions = new RememberedDefinitions();
    expect(outcomes(await apply(definitions, document))).toEqual([
      'parameter devices.parallel created',
      'parameter window.default created',
      'device QA1 created',
      'plan nightly created',
    ]);
    expect(await definitions.parameterValues()).toEqual({
      'devices.parallel': 4,
      'window.default': '22:00-06:00,12:00-13:00',
    });
    expect(await definitions.devices()).toMatchObject([{ name: 'QA1', somaPort: 5550, isEnabled: true }]);
    expect(await definitions.plans()).toMatchObject([{ name: 'nightly', isEnabled: true }]);
  });

  it('changes nothing when it is applied again', async () => {
    const definitions = new RememberedDefinitions();
    await apply(definitions, document);
    const before = [
      await definitions.parameterValues(),
      await definitions.devices(),
      await definitions.plans(),
    ];
    const again = outcomes(await apply(definitions, document));
    expect(again).toHaveLength(4);
    expect(again.every((line) => line.endsWith(' unchanged'))).toBe(true);
    expect([
      await definitions.parameterValues(),
      await definitions.devices(),
      await definitions.plans(),
    ]).toEqual(before);
  });

  it('tells what it changed from what stays', async () => {
    const definitions = new RememberedDefinitions();
    await apply(definitions, document);
    const changed = {
      parameters: { 'devices.parallel': 8, 'window.default': ['22:00-06:00', '12:00-13:00'] },
      devices: [qa1, { ...qa1, name: 'QA2' }],
      plans: [{ ...nightly, description: 'every night' }],
    };
    expect(outcomes(await apply(definitions, changed))).toEqual([
      'parameter devices.parallel changed',
      'parameter window.default unchanged',
      'device QA1 unchanged',
      'device QA2 created',
      'plan nightly changed',
    ]);
  });

  it.each([
    ['host', { host: 'elsewhere' }],
    ['port', { somaPort: 5551 }],
    ['user', { username: 'other' }],
    ['trust', { tls: { system: true } }],
    ['tags', { tags: { env: 'QA' } }],
    ['switch', { enabled: false }],
    ['password', { password: 'secret-2' }],
  ])('changes a device by its %s', async (_name, more) => {
    const definitions = new RememberedDefinitions();
    await apply(definitions, document);
    const devices = [{ ...qa1, ...more }] as ApplyDocumentInput['devices'];
    expect(outcomes(await apply(definitions, { devices }))).toEqual(['device QA1 changed']);
    expect(outcomes(await apply(definitions, { devices }))).toEqual(['device QA1 unchanged']);
  });

  it('leaves alone what it does not name', async () => {
    const definitions = new RememberedDefinitions();
    await apply(definitions, document);
    expect(outcomes(await apply(definitions, { devices: [{ ...qa1, name: 'QA2' }] }))).toEqual([
      'device QA2 created',
    ]);
    expect((await definitions.devices()).map(({ name }) => name)).toEqual(['QA1', 'QA2']);
    expect(await definitions.plans()).toHaveLength(1);
    expect(await definitions.parameterValues()).toHaveProperty('devices.parallel');
  });

  it('that is empty does nothing', async () => {
    expect(await apply(new RememberedDefinitions(), {})).toEqual({
      ok: true,
      value: { dryRun: false, objects: [] },
    });
  });

  it('on a dry run tells the same and keeps nothing', async () => {
    const definitions = new RememberedDefinitions();
    const dry = await apply(definitions, document, true);
    expect(dry).toMatchObject({ ok: true, value: { dryRun: true } });
    expect(definitions.saves).toBe(0);
    expect(outcomes(dry)).toEqual(outcomes(await apply(definitions, document)));
    expect(definitions.saves).toBe(1);
  });
});

describe('a password', () => {
  it('stays when none is given, whatever else of the device changes', async () => {
    const definitions = new RememberedDefinitions();
    await apply(definitions, document);
    expect(outcomes(await apply(definitions, { devices: [qa1WithoutPassword] }))).toEqual([
      'device QA1 unchanged',
    ]);
    const moved = { ...qa1WithoutPassword, host: 'elsewhere' };
    expect(outcomes(await apply(definitions, { devices: [moved] }))).toEqual(['device QA1 changed']);
    expect(definitions.passwordOf('QA1')).toBe('secret-1');
  });

  it('must be given for a device that is new', async () => {
    const definitions = new RememberedDefinitions();
    const refused = await apply(definitions, { devices: [qa1, { ...qa1WithoutPassword, name: 'QA2' }] });
    expect(mistakes(refused)).toEqual(['/devices/1/password PASSWORD_MISSING']);
    expect(definitions.saves).toBe(0);
  });

  it('is in no answer', async () => {
    const definitions = new RememberedDefinitions();
    const answers = [
      await apply(definitions, document),
      await apply(definitions, { devices: [{ ...qa1, password: 'x-planted' }] }),
    ];
    expect(JSON.stringify(answers)).not.toMatch(/secret-1|planted/);
  });
});

describe('a document with mistakes', () => {
  const wrong = {
    parameters: { 'devices.parallel': 0, 'no.suchThing': 1, 'store.path': '/mnt/backups' },
    devices: [qa1WithoutPassword, { ...qa1, name: 'QA2' }],
    plans: [
      nightly,
      {
        name: 'broken',
        schedule: '61 0 0 * * ?',
        window: ['22:00-22:00'],
        activities: [
          { exportDomain: { devices: 'QA*', domains: '*' } },
          { exportDomain: { devices: '!', domains: '*', preTaskScript: '../x' } },
        ],
      },
    ],
  };

  it('is refused with all of them at once, each with its place, and nothing of it is kept', async () => {
    const definitions = new RememberedDefinitions();
    const refused = await apply(definitions, wrong);
    expect(refused).toMatchObject({ ok: false, problem: { code: 'DOCUMENT_REFUSED' } });
    expect(mistakes(refused)).toEqual([
      '/parameters/devices.parallel PARAMETER_INVALID',
      '/parameters/no.suchThing PARAMETER_UNKNOWN',
      '/devices/0/password PASSWORD_MISSING',
      '/plans/1/schedule SCHEDULE_INVALID',
      '/plans/1/window/0 TIMEFRAME_INVALID',
      '/plans/1/activities/1/devices PATTERN_INVALID',
      '/plans/1/activities/1/preTaskScript SCRIPT_NAME_INVALID',
    ]);
    expect(definitions.saves).toBe(0);
    expect(await definitions.plans()).toEqual([]);
  });

  it('is refused on a dry run just the same', async () => {
    const definitions = new RememberedDefinitions();
    expect(mistakes(await apply(definitions, wrong, true))).toEqual(
      mistakes(await apply(definitions, wrong)),
    );
  });

  it('names each thing and its value in a sentence', async () => {
    const refused = await apply(new RememberedDefinitions(), wrong);
    const messages = refused.ok ? [] : (refused.problem.errors ?? []).map(({ message }) => message);
    expect(messages[0]).toBe('The parameter devices.parallel must be a whole number from 1 to 500.');
    expect(messages[1]).toContain('"no.suchThing"');
    expect(messages[2]).toContain('QA1');
    expect(messages[3]).toMatch(/^Plan broken: .*"61 0 0 \* \* \?"/);
  });

  it('judges plans by the zone that it sets itself, and blames no schedule for a zone that is wrong', async () => {
    const plans = [{ ...nightly, schedule: '0 0 2 * * ?' }];
    const refused = await apply(new RememberedDefinitions(), {
      parameters: { timezone: 'Mars/Olympus' },
      plans,
    });
    expect(mistakes(refused)).toEqual(['/parameters/timezone PARAMETER_INVALID']);
  });
});
