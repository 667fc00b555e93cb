import { expect, test } from 'vitest';
import { applyDocumentShape } from './apply-document.ts';
import { parseShape } from './parse-shape.ts';

function refusals(input: unknown): string[] {
  const outcome = parseShape(applyDocumentShape, input);
  return outcome.ok ? [] : outcome.errors.map(({ path, code, message }) => `${path} ${code} ${message}`);
}

const device = { name: 'QA1', host: '127.0.0.1', username: 'backup', tls: { system: true } };

test('an empty document names nothing', () => {
  expect(parseShape(applyDocumentShape, {})).toEqual({
    ok: true,
    value: { parameters: {}, devices: [], plans: [] },
  });
});

test('what a plan leaves out has the default of the product', () => {
  const outcome = parseShape(applyDocumentShape, {
    plans: [
      {
        name: 'nightly',
        activities: [
          { secureBackup: { devices: 'QA*', certificate: 'dr-cert', postTaskScript: 'after.sh' } },
          {
            exportDomain: {
              devices: 'QA*',
              domains: 'all-domains',
              postTaskScript: { script: 'x', when: 'onFailure' },
            },
          },
        ],
      },
    ],
  });
  expect(outcome).toMatchObject({
    ok: true,
    value: {
      plans: [
        {
          name: 'nightly',
          description: '',
          enabled: true,
          schedule: null,
          timezone: null,
          window: 'default',
          blackoutDates: [],
          missedRuns: 'once',
          overlap: 'skip',
          defaultErrorPolicy: 'halt',
          prePlanScript: null,
          notify: { email: null, syslog: null, webhook: null },
          activities: [
            {
              secureBackup: {
                devices: 'QA*',
                certificate: 'dr-cert',
                includeIscsi: false,
                includeRaid: false,
                quiesce: false,
                preTaskScript: null,
                postTaskScript: 'after.sh',
                errorPolicy: 'plan',
                retry: { attempts: 0, delaySeconds: 60 },
              },
            },
            { exportDomain: { domains: 'all-domains', postTaskScript: { script: 'x', when: 'onFailure' } } },
          ],
        },
      ],
    },
  });
});

test('every unknown key is named with its place', () => {
  expect(
    refusals({
      device: [],
      devices: [{ ...device, pasword: 'x', tls: { system: true, verify: false } }],
      plans: [
        { name: 'p', activities: [{ exportDomain: { devices: '*', domains: '*', certificate: 'c' } }] },
      ],
    }),
  ).toEqual([
    '/devices/0/tls/verify UNKNOWN_KEY "verify" is not a key that is known here',
    '/devices/0/pasword UNKNOWN_KEY "pasword" is not a key that is known here',
    '/plans/0/activities/0/exportDomain/certificate UNKNOWN_KEY "certificate" is not a key that is known here',
    '/device UNKNOWN_KEY "device" is not a key that is known here',
  ]);
});

test.each([[{}], [{ system: true, insecure: true }], [{ ca: 'PEM', pin: 'a'.repeat(64) }]])(
  'trust is refused unless it is said in exactly one way: %j',
  (tls) => {
    expect(refusals({ devices: [{ ...device, tls }] })).toEqual([
      '/devices/0/tls EXACTLY_ONE must have exactly one of ca, pin, system, insecure',
    ]);
  },
);

test.each([
  [{}],
  [{ secureBackup: { devices: '*', certificate: 'c' }, exportDomain: { devices: '*', domains: '*' } }],
])('an activity is exactly one action: %j', (activity) => {
  expect(refusals({ plans: [{ name: 'p', activities: [activity] }] })).toEqual([
    '/plans/0/activities/0 EXACTLY_ONE must have exactly one of secureBackup, exportDomain',
  ]);
});

test('a name that stands twice is refused where it stands again', () => {
  expect(refusals({ devices: [device, { ...device, name: 'QA2' }, device] })).toEqual([
    '/devices/2/name NAME_REPEATED "QA1" is already the name of entry 0',
  ]);
});

test.each(['', ' QA1', 'QA1 ', 'a\u0000b', 'a\u001b[2J', '.', '..', 'x'.repeat(129)])(
  'a device cannot be called %j',
  (name) => {
    expect(refusals({ devices: [{ ...device, name }] })).toHaveLength(1);
  },
);

test.each(['Q', 'QA 1', 'a/b', 'München', 'x'.repeat(128), '...', '-'])(
  'a device may be called %j',
  (name) => {
    expect(refusals({ devices: [{ ...device, name }] })).toEqual([]);
  },
);

test('a pin is taken with and without colons', () => {
  const pin = 'ab'.repeat(32);
  const withColons = pin.match(/../g)?.join(':');
  expect(refusals({ devices: [{ ...device, tls: { pin } }] })).toEqual([]);
  expect(refusals({ devices: [{ ...device, tls: { pin: withColons } }] })).toEqual([]);
  expect(refusals({ devices: [{ ...device, tls: { pin: pin.slice(2) } }] })).toHaveLength(1);
});
