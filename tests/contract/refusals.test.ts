import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { beginCommandScene, type CommandScene, WRONG_TOKEN } from './testing/command-scene.ts';

let scene: CommandScene;

beforeAll(async () => {
  scene = await beginCommandScene();
});

afterAll(() => scene?.end());

describe('what cannot be found is named, with where to look', () => {
  it.each([
    ['plan', ['plan', 'run', 'nigthly', '--wait']],
    ['plan', ['plan', 'preview', 'nigthly']],
    ['device', ['device', 'test', 'nigthly']],
    ['run', ['run', 'show', 'nigthly']],
    ['run', ['run', 'cancel', 'nigthly']],
    ['parameter', ['params', 'get', 'nigthly']],
    ['parameter', ['params', 'set', 'nigthly', '1']],
  ])('an unknown %s: %j', async (noun, args) => {
    const said = await scene.refuse(2, args);
    expect(said).toMatch(
      new RegExp(`^stillpoint: There is no ${noun} "nigthly"\\. See .*"stillpoint \\w+ list"`),
    );
  });

  it.each([
    [['frobnicate'], "Unknown command 'frobnicate'"],
    [['plan', 'run'], "Missing required argument 'name'"],
    [['apply'], "Required option '-f, --file <file>' not specified"],
    [['device', 'list', '--verbose'], "Unknown option '--verbose'"],
  ])('a command that is not one: %j', async (args, sentence) => {
    expect(await scene.refuse(2, args)).toBe(`stillpoint: ${sentence}. See how it is used with --help.\n`);
  });

  it('a file that is not there', async () => {
    expect(await scene.refuse(2, ['apply', '-f', 'plans.yaml'])).toMatch(
      /^stillpoint: The file plans\.yaml cannot be read: ENOENT\. Check the path/,
    );
  });
});

describe('a YAML file with a mistake is refused as a whole, with its line and the remedy', () => {
  const plan = (text: string): string => `parameters:
  devices.parallel: 3
plans:
  - name: weekly
    activities:
      - exportDomain: { devices: QA1, domains: A }
${text}`;

  it.each([
    [
      'an unknown key',
      plan('    scedule: "0 0 2 * * ?"'),
      2,
      /yaml:7: .*"scedule" is not a key that is known here\. Correct/,
    ],
    [
      'a bad hour',
      plan('    schedule: "0 0 25 * * ?"'),
      4,
      /yaml:7: .*Plan weekly: The schedule "0 0 25 \* \* \?" is not valid: .*hour.*25.*\. Correct/,
    ],
    [
      'a bad cron line',
      plan('    schedule: every night'),
      4,
      /yaml:7: .*The schedule "every night" is not valid: .*6 or 7 fields.*\. Correct/,
    ],
    [
      'a bad window',
      plan('    window: ["22:00"]'),
      4,
      /yaml:7: .*"22:00" is not of the form HH:MM-HH:MM\. Correct/,
    ],
    [
      'a bad zone',
      plan('    timezone: Mars/Base'),
      4,
      /yaml:7: .*"Mars\/Base" is unknown; write a name such as/,
    ],
    [
      'a script elsewhere',
      plan('    prePlanScript: ../../bin/sh'),
      4,
      /yaml:7: .*"\.\.\/\.\.\/bin\/sh" is not the plain name of a file in the scripts folder/,
    ],
    [
      'an unknown parameter',
      'parameters:\n  devices.paralell: 3',
      4,
      /yaml:2: .*no parameter "devices\.paralell"; see "stillpoint params list"/,
    ],
    [
      'a value out of bounds',
      'parameters:\n  quiesce.timeoutSeconds: 10',
      4,
      /yaml:2: .*quiesce\.timeoutSeconds must be a whole number from 60/,
    ],
    ['no YAML', 'plans:\n  - name: weekly\n   enabled: true', 2, /yaml:3: not well-formed YAML: /],
    [
      'a new device without a password',
      'devices:\n  - { name: QA2, host: h, username: u, tls: { system: true } }',
      4,
      /yaml:2: .*QA2 is new, so it needs a password or a passwordFile/,
    ],
    [
      'a password file that is not there',
      'devices:\n  - { name: QA2, host: h, username: u, passwordFile: pw, tls: { system: true } }',
      2,
      /yaml:2: .*passwordFile names \S+\/work\/pw, which cannot be read/,
    ],
  ])('%s', async (_, yaml, exitCode, sentence) => {
    writeFileSync(join(scene.room.work, 'plans.yaml'), `${yaml}\n`);
    expect(await scene.refuse(exitCode, ['apply', '-f', 'plans.yaml'])).toMatch(sentence);
  });

  it('several mistakes at once, each with its line and none said twice', async () => {
    writeFileSync(
      join(scene.room.work, 'plans.yaml'),
      plan('    schedule: every night\n    timezone: Mars/Base\n    window: ["22:00"]\n'),
    );
    const end = await scene.run(['apply', '-f', 'plans.yaml']);
    expect(end.exitCode).toBe(4);
    const [headline, ...lines] = end.error.trimEnd().split('\n');
    expect(headline).toMatch(
      /^stillpoint: The document has mistakes, so nothing of it was applied\. Correct/,
    );
    expect(lines.map((line) => line.trim().split(' ')[0])).toEqual(['plans.yaml:8:', 'plans.yaml:9:']);
  });

  it('a mistake that the server finds in a parameter alone', async () => {
    expect(await scene.refuse(4, ['params', 'set', 'window.default', '22:00'])).toBe(
      'stillpoint: The parameter window.default cannot be read: The window "22:00" is not of the form HH:MM-HH:MM. Choose a value within the bounds that are named.\n',
    );
  });
});

describe('device test says in one sentence what is wrong and what to do', () => {
  it.each([
    [
      'nobody-there',
      /^nobody-there: No connection could be made to 127\.0\.0\.1:\d+ \(ECONNREFUSED\)\. Check host, port and firewall/,
    ],
    [
      'away',
      /^away: No connection could be made to 127\.0\.0\.1:\d+ \(ECONNRESET\)\. Check host, port and firewall/,
    ],
    [
      'nowhere',
      /^nowhere: No address was found for gateway\.invalid:\d+ \(\w+\)\. Check the host of the device and the name server/,
    ],
    [
      'locked-out',
      /^locked-out at 127\.0\.0\.1:\d+ refused the user name "admin" or its password\. Correct the user name and password/,
    ],
    [
      'replaced',
      /^replaced: 127\.0\.0\.1:\d+ shows the certificate [0-9a-f]{64}, which is not the pinned one\. Find out whether/,
    ],
    [
      'self-signed',
      /^self-signed: No trusted authority vouches for the certificate of 127\.0\.0\.1:\d+ \(\w+\)\. Give the device the right CA bundle, or pin/,
    ],
    [
      'other-authority',
      /^other-authority: No trusted authority vouches for the certificate of .*\. Give the device the right CA bundle, or pin/,
    ],
    [
      'other-host',
      /^other-host: The certificate names other hosts than 127\.0\.0\.1:\d+ \(\w+\)\. Use a host that the certificate names/,
    ],
    [
      'expired',
      /^expired: The dates of the certificate do not cover today at 127\.0\.0\.1:\d+ \(\w+\)\. Renew the certificate/,
    ],
    [
      'no-bundle',
      /^no-bundle at 127\.0\.0\.1:\d+: The CA bundle of the device holds no certificate\. Correct the pin/,
    ],
  ])('%s', async (device, sentence) => {
    const end = await scene.run(['device', 'test', device]);
    expect(end).toMatchObject({ exitCode: 4, error: '' });
    expect(end.out.split('\n')[0]).toMatch(sentence);
  });

  it('a device that is well ends with 0', async () => {
    const end = await scene.run(['device', 'test', 'QA1']);
    expect(end).toMatchObject({ exitCode: 0, error: '' });
    expect(end.out).toMatch(/^QA1 can be backed up\.\n/);
  });
});

describe('a run that is waited for ends with the code of its outcome', () => {
  /** Runs a plan that comes to nothing: only the history knows of it afterwards. */
  async function waitedFor(plan: string, exitCode: number): Promise<string> {
    const end = await scene.run(['plan', 'run', plan, '--wait']);
    expect(end.exitCode, `${end.out}${end.error}`).toBe(exitCode);
    return end.out;
  }

  it('a disabled plan is refused (4) and leaves no run', async () => {
    const said = await scene.refuse(4, ['plan', 'run', 'paused', '--wait']);
    expect(said).toMatch(/^stillpoint: The plan "paused" is disabled, so it cannot run\. Enable the plan/);
  });

  it('a plan that matches nothing has nothing to do (3)', async () => {
    expect(await waitedFor('empty-handed', 3)).toMatch(
      /^SKIPPED .* No enabled device matches "PROD\*"\. Correct the device pattern/,
    );
  });

  it('a wrong password leaves nothing to do (3)', async () => {
    expect(await waitedFor('locked-out', 3)).toMatch(
      /^SKIPPED .* locked-out .*refused the user name or password\. Check the device with "stillpoint device test"/,
    );
  });

  it('an untrusted certificate leaves nothing to do (3)', async () => {
    expect(await waitedFor('self-signed', 3)).toMatch(
      /^SKIPPED .* self-signed .*No trusted authority vouches for the certificate of .*"stillpoint device test"/,
    );
  });

  it('a task that failed (1)', async () => {
    expect(await waitedFor('no-certificate', 1)).toMatch(
      /^FAILED .* QA1 has no crypto certificate object dr-2019 that is up\. Create the crypto certificate/m,
    );
  });
});

describe('a store that is not mounted', () => {
  beforeAll(() => scene.apply({ parameters: { 'store.requireRemoteMount': true } }));
  afterAll(() =>
    scene.apply({ parameters: { 'store.requireRemoteMount': false, 'store.path': scene.room.store } }),
  );

  const sentence = (): string => `${scene.room.store} lies on no mounted network file system but on `;

  it.each([[['store', 'init']], [['store', 'rescan']]])('refuses %j', async (args) => {
    const said = await scene.refuse(4, args);
    expect(said).toContain(`stillpoint: ${sentence()}`);
    expect(said).toContain(
      'Mount the network file system; for a local store set store.requireRemoteMount to false.',
    );
  });

  it.each([
    [['store', 'show'], 4],
    [['plan', 'preview', 'nightly'], 0],
    [['plan', 'run', 'nightly', '--wait'], 4],
  ])('is what %j tells, and nothing is written', async (args, exitCode) => {
    const end = await scene.run(args);
    expect(end.exitCode).toBe(exitCode);
    expect(end.out).toContain(sentence());
    expect(end.out).toMatch(/Mount the (store|network file system)/);
  });

  it('is told as missing when there is no such folder', async () => {
    await scene.apply({ parameters: { 'store.path': `${scene.room.store}/nowhere` } });
    expect(await scene.refuse(4, ['store', 'init'])).toMatch(
      /^stillpoint: \S+\/nowhere does not exist\. Mount the store, or correct the parameter store\.path\./,
    );
    const end = await scene.run(['plan', 'run', 'nightly', '--wait']);
    expect(end).toMatchObject({ exitCode: 4 });
    expect(end.out).toMatch(
      /FAILED; no tasks\. \S+\/nowhere does not exist\. Mount the store at store\.path/,
    );
  });
});

describe('whoever cannot get at the server is told why', () => {
  it('a wrong token (5)', async () => {
    const said = await scene.refuse(5, ['device', 'list'], { STILLPOINT_TOKEN: WRONG_TOKEN });
    expect(said).toMatch(
      /^stillpoint: The token that GET \/api\/v1\/devices was sent with is not the one of this server\. Use the token of this server: the file "token"/,
    );
  });

  it('no token at all (5)', async () => {
    const said = await scene.refuse(5, ['device', 'list', '--token-file', 'nowhere']);
    expect(said).toMatch(
      /^stillpoint: There is no token .*nowhere does not exist, and STILLPOINT_TOKEN is not set\. Use the token/,
    );
  });

  it('an address at which nobody answers (6)', async () => {
    const said = await scene.refuse(6, ['device', 'list', '--server', `http://127.0.0.1:${scene.freePort}`]);
    expect(said).toMatch(
      /^stillpoint: The server at http:\/\/127\.0\.0\.1:\d+ could not be reached: .*ECONNREFUSED.*\. Start it with "stillpoint serve"/,
    );
  });

  it('an address of something else (6)', async () => {
    const said = await scene.refuse(6, ['device', 'list', '--server', scene.fleet.controlUrl]);
    expect(said).toMatch(/does not answer like a Stillpoint server of this version: .*\. Check the address/);
  });

  it('a data directory on which no server runs (6)', async () => {
    const said = await scene.refuse(6, ['device', 'list', '--data', 'elsewhere']);
    expect(said).toMatch(
      /^stillpoint: No server runs on the data directory \S+\/elsewhere, since .*does not exist\. Start it with "stillpoint serve"/,
    );
  });

  it('a second server on one data directory (4), with the process that holds it', async () => {
    const said = await scene.refuse(4, ['serve', '--port', '0']);
    expect(said).toMatch(
      new RegExp(
        `Process ${scene.server.pid} holds ${scene.room.data}/\\S+\\. Stop that process, or choose another data directory\\.`,
      ),
    );
    const servers = scene.room.processes().filter(({ command }) => command.includes('server/src/main.ts'));
    expect(servers.map(({ pid }) => pid)).toEqual([scene.server.pid]);
  });
});
