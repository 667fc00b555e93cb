// Started by ask-under-mount.ts in a mount namespace of its own: mounts, asks the store, prints one line of JSON.

import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import {
  checkStore,
  initStore,
  openIncoming,
  openStore,
  type Reply,
} from '../../../packages/store/src/index.ts';
import { demandCommand } from '../../../tools/check/system-packages.ts';
import type { AnswersUnderMount, Asked, QuestionUnderMount } from './ask-under-mount.ts';

const { covering, root }: QuestionUnderMount = JSON.parse(process.argv[2] ?? '');

function asked(reply: Reply<unknown>): Asked {
  return reply.ok ? { code: 'ok', detail: '' } : reply.fault;
}

async function receive(): Promise<Asked> {
  const opened = await openStore(store);
  if (!opened.ok) return opened.fault;
  await using folder = opened.value;
  const incoming = await openIncoming(folder, 'task-1', 'export');
  if (!incoming.ok) return incoming.fault;
  await using arriving = incoming.value;
  const file = await arriving.createFile('persisted.zip');
  if (!file.ok) return file.fault;
  await file.value.write(new Uint8Array(10));
  return asked(await file.value.finish());
}

const what =
  covering.kind === 'tmpfs' ? ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs'] : ['--bind', covering.from];
execFileSync(demandCommand('mount'), [...what, covering.at], { stdio: ['ignore', 'ignore', 'inherit'] });
const store = { root, requiresRemoteMount: true, expectedStoreId: null };
const answers: AnswersUnderMount = {
  setUp: asked(await initStore(store)),
  check: asked(await checkStore({ ...store, minFreePercent: 0 })),
  receive: await receive(),
  files: readdirSync(covering.at, { recursive: true, encoding: 'utf8' }),
};
console.log(JSON.stringify(answers));
