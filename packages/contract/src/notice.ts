import { z } from 'zod';
import { identifierShape } from './identifier.ts';
import { instantShape } from './instant.ts';
import { pageQueryFields } from './page.ts';

const channelShape = z.enum(['email', 'syslog', 'webhook']);
const stateShape = z.enum(['WAITING', 'DELIVERED', 'GIVEN_UP']);

/** Something that is to be told by one channel: kept until it was delivered, or given up after three days. */
export const noticeShape = z
  .object({
    id: identifierShape,
    channel: channelShape,
    event: z.enum(['RUN_ENDED', 'ALARM_RAISED', 'ALARM_CLEARED', 'TEST']),
    subjectId: identifierShape.describe('id of the run or the alarm that it tells of'),
    summary: z.string(),
    state: stateShape,
    attempts: z.number().int(),
    lastProblem: z.string().nullable().describe('what stood in the way of the last try that failed'),
    createdAt: instantShape,
    nextTryAt: instantShape.nullable().describe('null: it is not tried any more'),
    endedAt: instantShape.nullable().describe('when it was delivered or given up'),
  })
  .meta({ id: 'Notice' });

/** Something that is to be told by one channel. */
export type Notice = z.output<typeof noticeShape>;

/** Which notices are listed, newest first. */
export const noticeQueryShape = z.strictObject({
  state: stateShape.optional(),
  channel: channelShape.optional(),
  ...pageQueryFields,
});

/** Which notices are listed, newest first. */
export type NoticeQuery = z.output<typeof noticeQueryShape>;

const testedShape = z.enum(['email', 'syslog', 'webhook', 'heartbeat']);

/** What is to be tried out. */
export const noticeTestRequestShape = z
  .strictObject({ channel: testedShape.optional().describe('left out: everything that is set up') })
  .meta({ id: 'NoticeTestRequest' });

/** What is to be tried out. */
export type NoticeTestRequest = z.output<typeof noticeTestRequestShape>;

/** What came of trying channels out. */
export const noticeTestShape = z
  .object({
    channels: z.array(
      z.object({
        channel: testedShape,
        outcome: z.enum(['sent', 'failed', 'notSetUp']),
        sentence: z.string(),
      }),
    ),
  })
  .meta({ id: 'NoticeTest' });

/** What came of trying channels out. */
export type NoticeTest = z.output<typeof noticeTestShape>;
