/** What alarms there are; each closes by itself when it is no longer so. */
export const alarmCatalogue = {
  DEVICE_LEFT_QUIESCED: {
    sentence:
      'A device that Stillpoint quiesced, or may have, has no task that goes on and was not seen running.',
    remedy:
      'See whether the device answers ("stillpoint device test"). It is tried until it runs; "stillpoint guard unquiesce DEVICE" tries at once.',
  },
  NODE_NOT_HEARD_OF: {
    sentence: 'A node fell silent while it held work that nobody has taken over yet.',
    remedy:
      'See whether its process runs and reaches the database. Another node, or its own next start, takes the work over.',
  },
  TASK_PARKED: {
    sentence: 'A task met a mistake of Stillpoint, or lost the database; how its device stands is not known.',
    remedy:
      'Look into the log of the node that is named. The task is tried again by itself; what it left quiesced is undone.',
  },
  RUN_PARKED: {
    sentence: 'A run met a mistake of Stillpoint, or lost the database; it does not go on at the moment.',
    remedy: 'Look into the log of the node that is named. The run is tried again by itself.',
  },
  NOTICE_NOT_DELIVERED: {
    sentence: 'Nothing has reached the receivers of a channel for an hour, or a notice was given up.',
    remedy:
      'Try the channel with "stillpoint notify test" and mend what it says; see what waits with "stillpoint notice list".',
  },
} as const;
