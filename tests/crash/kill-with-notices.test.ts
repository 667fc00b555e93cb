import { expect, it } from 'vitest';
import { freePort } from '../contract/testing/open-servers.ts';
import { startWebhookReceiver } from '../contract/testing/webhook-receiver.ts';
import { beginCluster } from './testing/begin-cluster.ts';
import { good } from './testing/good.ts';
import { ofKind } from './testing/kinds-of-tasks.ts';

const told = ofKind('export', 'told');

it('what a killed server had to tell is told by the one that comes after it, once', async () => {
  const port = await freePort();
  await using cluster = await beginCluster({
    devices: [told.device],
    plans: [{ ...told.plan, notify: { webhook: 'always' } }],
    parameters: { 'webhook.url': `http://127.0.0.1:${port}/notices` },
  });
  const first = await cluster.startNode('a');
  const run = good(await first.client.runPlan({ params: { name: 'told' }, body: {} }));
  const [notice] = await cluster.until(async () => {
    const { items } = good(await first.client.listNotices({ query: {} }));
    expect(items).toMatchObject([{ subjectId: run.id, state: 'WAITING', attempts: 1 }]);
    return items;
  });
  await first.end('SIGKILL');

  const receiver = await startWebhookReceiver(port);
  try {
    const second = await cluster.startNode('a');
    good(await second.client.retryNotice({ params: { id: notice?.id ?? '' } }));
    await cluster.until(async () => {
      const { items } = good(await second.client.listNotices({ query: {} }));
      expect(items).toMatchObject([{ id: notice?.id, state: 'DELIVERED', attempts: 2 }]);
    });
    expect(receiver.posted.map(({ body }) => [body.id, body.run?.id, body.run?.status])).toEqual([
      [notice?.id, run.id, 'SUCCEEDED'],
    ]);
    await second.end('SIGTERM');
  } finally {
    await receiver.close();
  }
});
