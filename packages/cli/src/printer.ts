import type { ExitCode, FieldError, Problem } from '@stillpoint/contract';

/** Where a mistake stands in a file of the operator. */
export interface FilePlace {
  readonly file: string;
  readonly line: number;
}

/** A problem, the fields of which may have a place in a file. */
export type LocatedProblem = Omit<Problem, 'errors'> & {
  readonly errors?: readonly (FieldError & Partial<FilePlace>)[] | undefined;
};

/** How a command speaks: as text for people, or as JSON for programs. */
export interface Printer {
  /** The one result of a command. */
  readonly value: <Value>(value: Value, text: (value: Value) => string) => void;
  /** One of several results that come as time goes by. */
  readonly event: <Value>(value: Value, text: (value: Value) => string) => void;
  /** A line about what is going on, for people only. */
  readonly progress: (text: () => string) => void;
  /** Something that a person wants to know and a program does not. */
  readonly note: (sentence: string) => void;
  /** Why there is no result; answers the exit code that belongs to it. */
  readonly problem: (problem: LocatedProblem) => ExitCode;
}
