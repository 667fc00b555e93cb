/** The codes that performing a task adds to those of the device, the store and the scripts. */
export const taskCatalogue = {
  DEVICE_NOT_DEFINED: {
    sentence: 'The device was removed from the definitions.',
    remedy: 'Define it again with "stillpoint apply", or take it out of the plan.',
  },
  PASSWORD_NOT_READABLE: {
    sentence: 'The password of the device was kept with another key than the server has now.',
    remedy:
      'Bring back the key that the server had (secret.key, STILLPOINT_SECRET_KEY), or apply the device with its password again.',
  },
  SECURE_BACKUP_TIMED_OUT: {
    sentence: 'The device accepted the secure backup but did not finish it in time.',
    remedy: "Look at the device's log and at the free space in its temporary storage.",
  },
  SECURE_BACKUP_LEFT_ON_DEVICE: {
    sentence: 'The directory of the secure backup could not be removed from the device.',
    remedy: 'Remove the directory stillpoint-… from temporary: by hand.',
  },
} as const;
