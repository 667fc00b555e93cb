/** The codes that performing a task adds to those of the device, the store and the scripts. */
export const taskCatalogue = {
  SECURE_BACKUP_TIMED_OUT: {
    sentence: 'The device accepted the secure backup but did not finish it in time.',
    remedy: "Look at the device's log and at the free space in its temporary storage.",
  },
  SECURE_BACKUP_LEFT_ON_DEVICE: {
    sentence: 'The directory of the secure backup could not be removed from the device.',
    remedy: 'Remove the directory stillpoint-… from temporary: by hand.',
  },
} as const;
