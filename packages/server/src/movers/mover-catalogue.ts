/** The codes that the movers add to those of the store and the appliance. */
export const moverCatalogue = {
  STORE_NOT_RESPONDING: {
    sentence: 'The store did not answer in time.',
    remedy: 'Check the network mount of the store and its file server; the server itself goes on working.',
  },
  MOVER_DIED: {
    sentence: 'The process that worked on the store ended unexpectedly.',
    remedy: 'Look at the log of the server and at the memory of the machine, then run the backup again.',
  },
  NODE_MAY_NOT_ACT: {
    sentence:
      'This node did not go on with its work, because it had been out of touch with its database for too long.',
    remedy:
      'Nothing, if it happens once: whoever holds the task now goes on with it. Otherwise check the database and the load of this machine.',
  },
  ABORTED: {
    sentence: 'The work on the store was given up on request.',
    remedy: 'Nothing, if somebody cancelled the task or stopped the server; otherwise run the backup again.',
  },
} as const;

/** A code of this catalogue. */
export type MoverCode = keyof typeof moverCatalogue;
