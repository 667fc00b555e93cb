export { BossQueue, type QueueConnection } from './boss-queue.ts';
export type { Clock } from './clock.ts';
export type { DriveEnd } from './drive-subject.ts';
export { Engine, type EngineEvents, type EngineOptions } from './engine.ts';
export type { EngineTables } from './engine-tables.ts';
export { GIVEN_UP } from './given-up.ts';
export type { Held, Journal, NewSubject, Subject, TakeHold, Taken } from './journal.ts';
export { pause } from './pause.ts';
export { PlaceTaken } from './place-taken.ts';
export { PostgresJournal, type TablesTransaction } from './postgres-journal.ts';
export type {
  AnyProgram,
  Change,
  Effect,
  Fact,
  Fault,
  Performance,
  Program,
  Reply,
  Step,
} from './program.ts';
export { type Claim, LEASE_SECONDS, type Queue, type QueueEntry } from './queue.ts';
export { systemClock } from './system-clock.ts';
