import { expect, it } from 'vitest';
import { sampleRun } from '../testing/sample-run.ts';
import { digestOfRun, digestPolicy } from './digest-of-run.ts';

it('a long sentence is cut between two characters, for a database takes no half of one', () => {
  const detail = `${'x'.repeat(digestPolicy.detailLength - 1)}😀 and more`;
  const verdict = { status: 'FAILED', reason: { code: 'X', detail }, warnings: [] } as const;
  const counts = { succeeded: 0, failed: 0, cancelled: 0, skipped: 0 };
  const { reason } = digestOfRun(sampleRun(), verdict, 1, counts, []);
  expect(reason?.detail).toBe(`${'x'.repeat(digestPolicy.detailLength - 1)}…`);
});
