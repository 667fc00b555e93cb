export type { AnyProgram, DriveEnd } from './drive-subject.ts';
export { Engine, type EngineEvents, type EngineOptions } from './engine.ts';
export type { EngineTables } from './engine-tables.ts';
export type { QueueConnection, QueueEntry } from './job-queue.ts';
export { factsAfter } from './journal.ts';
export type { Change, Effect, Fact, Fault, Performance, Program, Reply, Step } from './program.ts';
