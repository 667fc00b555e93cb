import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Notice } from '../../packages/contract/src/index.ts';
import { startAnotherNode } from './testing/another-node.ts';
import { freePort, startSilentServer } from './testing/open-servers.ts';
import { type PlanInput, type Stillpoint, startStillpoint } from './testing/start-stillpoint.ts';
import { until } from './testing/until.ts';
import { startWebhookReceiver } from './testing/webhook-receiver.ts';

const SECRET = 'planted-webhook-secret';
const PASSWORD = 'planted-mail-password';

let stillpoint: Stillpoint;

beforeAll(async () => {
  stillpoint = await startStillpoint();
});
afterAll(() => stillpoint.finish());

/** A device with the domains A and B, of which A cannot be exported. */
async function connect(name: string): Promise<PlanInput> {
  const fleet = await stillpoint.connectFleet([{ name, domains: [{ name: 'A' }, { name: 'B' }] }]);
  fleet.device(name).orderFault({ kind: 'bad-crc', domain: 'A', times: -1 });
  return {
    activities: [{ exportDomain: { devices: name, domains: 'A,B' } }],
    defaultErrorPolicy: 'ignore',
    notify: { webhook: 'always' },
  };
}

async function receive(port?: number) {
  const receiver = await startWebhookReceiver(port);
  onTestFinished(() => receiver.close());
  return receiver;
}

const pointTo = (port: number) =>
  stillpoint.setParameters({ 'webhook.url': `http://127.0.0.1:${port}/notices` });

async function noticesOf(runId: string): Promise<Notice[]> {
  const answer = await stillpoint.client.listNotices({ query: { limit: 1000 } });
  if (!answer.ok) throw new Error(answer.problem.detail);
  return answer.value.items.filter(({ subjectId }) => subjectId === runId);
}

const noticeIn = (runId: string, state: Notice['state']) =>
  until(
    async () => (await noticesOf(runId))[0],
    (notice) => notice?.state === state,
  );

describe('a run that has ended', () => {
  it('is told once by webhook, signed, with what failed and what to do', async () => {
    const receiver = await receive();
    await pointTo(receiver.port);
    await stillpoint.apply({ parameters: { 'webhook.secret': SECRET } });
    onTestFinished(() => stillpoint.apply({ parameters: { 'webhook.secret': '' } }));
    const { run } = await stillpoint.runPlan(await connect('told-1'));
    const notice = await noticeIn(run.id, 'DELIVERED');
    expect(receiver.posted).toHaveLength(1);
    const [{ headers, text, body }] = receiver.posted as [(typeof receiver.posted)[number]];
    expect(body).toMatchObject({
      id: notice?.id,
      event: 'RUN_ENDED',
      run: {
        id: run.id,
        status: 'PARTIAL',
        counts: { succeeded: 1, failed: 1, cancelled: 0, skipped: 0 },
        problems: [{ device: 'told-1', domain: 'A', status: 'FAILED', reason: { code: 'EXPORT_BAD_CRC' } }],
        moreProblems: 0,
      },
    });
    expect(text).toMatch(/"remedy":"[A-Z]/);
    const [, time, hmac] = /^t=(\d+),v1=(\w+)$/.exec(String(headers['stillpoint-signature'])) ?? [];
    expect(hmac).toBe(createHmac('sha256', SECRET).update(`${time}.${text}`).digest('hex'));
    expect(headers['idempotency-key']).toBe(notice?.id);
    expect(notice).toMatchObject({ channel: 'webhook', attempts: 1, lastProblem: null, nextTryAt: null });
  });

  it('is not told when it succeeded and only problems are', async () => {
    const receiver = await receive();
    await pointTo(receiver.port);
    await stillpoint.connectFleet([{ name: 'told-2', domains: [{ name: 'B' }] }]);
    const plan = {
      activities: [{ exportDomain: { devices: 'told-2', domains: 'B' } }],
      notify: { webhook: 'onProblem' as const },
    };
    const { run } = await stillpoint.runPlan(plan);
    expect(run.status).toBe('SUCCEEDED');
    expect(await noticesOf(run.id)).toEqual([]);
  });

  it('ends on time while its receiver is down, and is told when it is back', async () => {
    const port = await freePort();
    await pointTo(port);
    const { run } = await stillpoint.runPlan(await connect('told-3'));
    expect(run.status).toBe('PARTIAL');
    const waiting = await until(
      async () => (await noticesOf(run.id))[0],
      (notice) => notice?.attempts === 1,
    );
    expect(waiting).toMatchObject({
      state: 'WAITING',
      lastProblem: `The webhook at http://127.0.0.1:${port} cannot be reached (ECONNREFUSED).`,
      nextTryAt: expect.any(String),
    });
    const receiver = await receive(port);
    const retried = await stillpoint.client.retryNotice({ params: { id: waiting?.id ?? '' } });
    expect(retried.ok).toBe(true);
    await noticeIn(run.id, 'DELIVERED');
    expect(receiver.posted.map(({ body }) => body.id)).toEqual([waiting?.id]);
    const again = await stillpoint.client.retryNotice({ params: { id: waiting?.id ?? '' } });
    expect(again).toMatchObject({ ok: false, problem: { code: 'NOTICE_ALREADY_DELIVERED' } });
  });

  it('ends on time while its receiver takes everything and answers nothing', async () => {
    const silent = await startSilentServer();
    onTestFinished(() => silent.close());
    await pointTo(silent.port);
    const plan = await connect('told-4');
    const [first, second] = [await stillpoint.runPlan(plan), await stillpoint.runPlan(plan)];
    expect([first.run.status, second.run.status]).toEqual(['PARTIAL', 'PARTIAL']);
    expect(await noticesOf(second.run.id)).toMatchObject([{ state: 'WAITING', attempts: 0 }]);
  });

  it('keeps its notice for a channel that is not set up, and says what is missing', async () => {
    const { run } = await stillpoint.runPlan({ ...(await connect('told-5')), notify: { email: 'always' } });
    const notice = await until(
      async () => (await noticesOf(run.id))[0],
      (found) => found?.attempts === 1,
    );
    expect(notice).toMatchObject({
      channel: 'email',
      state: 'WAITING',
      lastProblem: 'The parameter mail.server is not set.',
    });
  });
});

it('two nodes tell each run once, and one of them sends the heartbeat', async () => {
  const receiver = await receive();
  const heartbeats = await receive();
  await pointTo(receiver.port);
  await stillpoint.setParameters({
    'heartbeat.url': `http://127.0.0.1:${heartbeats.port}/alive`,
    'heartbeat.everySeconds': 3_600,
  });
  await stillpoint.query('delete from heartbeat');
  const node = await startAnotherNode(stillpoint, 'teller');
  onTestFinished(() => node.stop());
  const name = await stillpoint.definePlan(await connect('told-6'));
  const runs = [];
  for (let times = 0; times < 4; times += 1) runs.push(await stillpoint.queueRun(name));
  for (const run of runs) await stillpoint.endOf(run);
  for (const run of runs) await noticeIn(run.id, 'DELIVERED');
  expect(receiver.posted.map(({ body }) => body.run?.id).sort()).toEqual(runs.map(({ id }) => id).sort());
  await until(
    () => heartbeats.posted.length,
    (count) => count > 0,
  );
  expect(heartbeats.posted).toHaveLength(1);
});

it('an alarm is told at once, and again when it is over', async () => {
  const receiver = await receive();
  await pointTo(receiver.port);
  await stillpoint.query(
    `insert into notice (id, channel, event, subject_id, content, state, created_at, waiting_since, next_try_at, ended_at)
     values (gen_random_uuid(), 'syslog', 'TEST', gen_random_uuid(), '{"event":"TEST"}', 'GIVEN_UP', now(), now(), now(), now())`,
  );
  const arrived = (event: string) =>
    until(
      () => receiver.posted.filter(({ body }) => body.event === event),
      ({ length }) => length > 0,
    );
  const [raised] = await arrived('ALARM_RAISED');
  expect(raised?.body).toMatchObject({
    alarm: { code: 'NOTICE_NOT_DELIVERED', subject: { kind: 'channel', name: 'syslog' }, closedAt: null },
  });
  await stillpoint.query("delete from notice where channel = 'syslog' and state = 'GIVEN_UP'");
  expect(await arrived('ALARM_CLEARED')).toHaveLength(1);
});

describe('channels', () => {
  it('are tried out at once, and each says what came of it', async () => {
    const receiver = await receive();
    await pointTo(receiver.port);
    await stillpoint.setParameters({
      'syslog.server': `127.0.0.1:${await freePort()}`,
      'syslog.transport': 'tcp',
    });
    const tested = await stillpoint.client.testNotices({ body: {} });
    expect(tested).toMatchObject({
      ok: true,
      value: {
        channels: [
          {
            channel: 'email',
            outcome: 'notSetUp',
            sentence: expect.stringContaining('mail.server is not set'),
          },
          { channel: 'syslog', outcome: 'failed', sentence: expect.stringContaining('ECONNREFUSED') },
          { channel: 'webhook', outcome: 'sent' },
          { channel: 'heartbeat', outcome: 'notSetUp' },
        ],
      },
    });
    expect(receiver.posted.map(({ body }) => body.event)).toEqual(['TEST']);
    expect(await stillpoint.client.testNotices({ body: { channel: 'webhook' } })).toMatchObject({
      value: { channels: [{ channel: 'webhook', outcome: 'sent' }] },
    });
  });

  it('have a heartbeat beside them, that is sent while the server is alive', async () => {
    const receiver = await receive();
    await stillpoint.query('delete from heartbeat');
    await stillpoint.setParameters({ 'heartbeat.url': `http://127.0.0.1:${receiver.port}/alive` });
    await until(
      () => receiver.posted.length,
      (count) => count > 0,
    );
    expect(receiver.posted[0]).toMatchObject({ method: 'GET', text: '' });
  });
});

it('secrets are shown by no answer and stand in no table in clear', async () => {
  const secrets = { 'mail.password': PASSWORD, 'webhook.secret': SECRET };
  await stillpoint.apply({ parameters: secrets });
  onTestFinished(() => stillpoint.apply({ parameters: { 'mail.password': '', 'webhook.secret': '' } }));
  const { client } = stillpoint;
  const answers = [
    await client.listParameters(),
    await client.getParameter({ params: { name: 'mail.password' } }),
    await client.setParameter({ params: { name: 'mail.password' }, body: { value: PASSWORD } }),
    await client.setParameter({ params: { name: 'webhook.secret' }, body: { value: `${SECRET}\n` } }),
    await client.applyDocument({ body: { parameters: { ...secrets, 'mail.server': SECRET } } }),
    await client.applyDocument({ body: { parameters: secrets } }),
    await client.listNotices({ query: { limit: 1000 } }),
  ];
  const [list, password, , refused, document, same] = answers;
  expect(password).toMatchObject({ value: { value: null, isSecret: true, isSet: true } });
  expect([refused?.ok, document?.ok]).toEqual([false, false]);
  expect(same).toMatchObject({
    value: { objects: [{ outcome: 'unchanged' }, { outcome: 'unchanged' }] },
  });
  expect(JSON.stringify(list)).toContain('"mail.password","value":null');
  expect(JSON.stringify(answers)).not.toContain('planted');
  const tables = (await stillpoint.query(
    "select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'",
  )) as { name: string }[];
  expect(tables.length).toBeGreaterThan(15);
  for (const { name } of tables) {
    const rows = await stillpoint.query(`select t::text as row from ${name} t`);
    expect(JSON.stringify(rows)).not.toMatch(/planted|706c616e746564/);
  }
});
