import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { demandCommand } from '../../../tools/check/system-packages.ts';

/** A small file system in memory, or a folder of the local disk, put over the folder `at`. */
export type Covering =
  | { readonly kind: 'tmpfs'; readonly at: string }
  | { readonly kind: 'bind'; readonly from: string; readonly at: string };

/** How the store answered: `ok` or a code, and the sentence of the fault. */
export interface Asked {
  readonly code: string;
  readonly detail: string;
}

/** What a store that must be a network mount answered, and every file that is below the covered folder afterwards. */
export interface AnswersUnderMount {
  readonly setUp: Asked;
  readonly check: Asked;
  readonly receive: Asked;
  readonly files: readonly string[];
}

/** What the program in the namespace is told. */
export interface QuestionUnderMount {
  readonly covering: Covering;
  readonly root: string;
}

const program = fileURLToPath(new URL('./ask-under-mount-child.ts', import.meta.url));

/**
 * Sets up, checks and fills the store at `root` while `covering` is mounted. It is mounted in a namespace of its own, so
 * nobody else sees it and it is gone with the process; a plain user gets one together with a user namespace.
 */
export function askUnderMount(question: QuestionUnderMount): AnswersUnderMount {
  const asUser = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  const args = ['--mount', ...asUser, '--', process.execPath, program, JSON.stringify(question)];
  const { status, stdout, stderr } = spawnSync(demandCommand('unshare'), args, { encoding: 'utf8' });
  if (status !== 0) {
    throw new Error(
      `This test needs a mount namespace: run it as root, or allow user namespaces to plain users.\n${stderr}`,
    );
  }
  return JSON.parse(stdout);
}
