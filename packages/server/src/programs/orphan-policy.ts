const LEASE_MS = 60_000;

/** How guards without a living owner are worked on, by all nodes together; milliseconds. */
export const orphanPolicy = {
  /** A node that began with a guard and died leaves it to the others after this long. */
  leaseMs: LEASE_MS,
  /** A claim is not relied on for longer: by then a node that stood still may have lost it. */
  fenceMs: LEASE_MS * 0.7,
  /** The pause after a try, doubled with each that fails after another. */
  firstPauseMs: 5_000,
  /** A device that stays away is tried at least this often, however long it does. */
  longestPauseMs: 60_000,
  /** A task that is parked for so long is not waited for. */
  parkedMs: 300_000,
  /** A request may be under way for as long as a device is given to answer one. */
  underWayMs: 120_000,
} as const;
