/** Time as a node sees it. */
export interface Clock {
  /** Milliseconds since the epoch; may be put forward or back while we look. */
  now(): number;
  /** Milliseconds since some instant of its own; only ever grows, and counts the time in which this process stood still. */
  elapsed(): number;
  /** Calls back once after so many milliseconds; what it answers calls that off. */
  after(ms: number, wake: () => void): () => void;
}
