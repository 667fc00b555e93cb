import {
  type RecordsGround,
  rememberedGround,
  storedGround,
} from '../../../packages/server/src/testing/records-ground.ts';

/** A ground whose transactions a test only passes on. */
export type AnyRecordsGround = RecordsGround<unknown>;

/** What every contract of the records is held against: the real thing and its double. */
export const recordsGrounds: readonly (readonly [string, () => Promise<AnyRecordsGround>])[] = [
  ['in a real PostgreSQL', storedGround as () => Promise<AnyRecordsGround>],
  ['their double in memory', rememberedGround as () => Promise<AnyRecordsGround>],
];
