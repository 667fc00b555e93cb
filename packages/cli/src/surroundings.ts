/** Everything of the outside that a command touches, so that a test can stand in for it. */
export interface Surroundings {
  readonly writeOut: (text: string) => void;
  readonly writeError: (text: string) => void;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly homeDirectory: string;
  /** Directory that relative paths of the command line begin at. */
  readonly workingDirectory: string;
  readonly pause: (durationMs: number, signal: AbortSignal) => Promise<void>;
  /** From now until `release`, Ctrl-C aborts the signal and no longer ends the process. */
  readonly listenForInterrupt: () => { readonly signal: AbortSignal; readonly release: () => void };
  /** Asks a person a question that wants yes or no; null where nobody can be asked. */
  readonly confirm: ((question: string) => Promise<boolean>) | null;
  /** Asks a person for something that is not to be seen, null when there is no answer; null where nobody can be asked. */
  readonly askSecret: ((question: string) => Promise<string | null>) | null;
  /** Runs another program of ours in the foreground and answers its exit code. */
  readonly startProgram: (
    file: URL,
    args: readonly string[],
    environment: Record<string, string>,
  ) => Promise<number>;
}
