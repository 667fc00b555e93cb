/** Every reason that a run or a task of ours can end with; faults of the appliance, store and database have catalogues of their own. */
export const coreCatalogue = {
  BACKUPS_ARE_DISABLED: {
    sentence: 'The run was not started because backups are switched off.',
    remedy: 'Set the parameter backups.enabled to true.',
  },
  PRE_VALIDATION_OUT_OF_MAINTENANCE_WINDOW: {
    sentence: 'The run was not started because now is outside the maintenance window or on a blackout date.',
    remedy:
      'Run the plan inside its window, change the window, or override it for one run with a written reason.',
  },
  PRE_VALIDATION_INVALID_TIMEFRAME_FORMAT: {
    sentence: 'The run was not started because the maintenance window cannot be read.',
    remedy: 'Write the window as HH:MM-HH:MM with two different ends.',
  },
  PRE_VALIDATION_QUIESCE_TIMEOUT_SYSPARM_TOO_SHORT: {
    sentence: 'The run was not started because the quiesce time-out is under 60 seconds.',
    remedy: 'Set the parameter quiesce.timeoutSeconds to 60 or more.',
  },
  PRE_VALIDATION_STORE_IS_NOT_MOUNTED: {
    sentence: 'The run was not started because the store is not the mounted file system that was set up.',
    remedy: 'Mount the store at store.path; a new store is set up with "stillpoint store init".',
  },
  PRE_VALIDATION_BACKUP_STORE_OUT_OF_SPACE: {
    sentence: 'The run was not started because the store has too little free space.',
    remedy: 'Free space in the store or lower the parameter store.minFreePercent.',
  },
  PREPROCESS_EXECUTION_SKIPPED_BECAUSE_A_DAY_PASSED: {
    sentence: 'The run waited in the queue longer than allowed.',
    remedy: 'Look what held the queue up, or raise the parameter queue.maxHours.',
  },
  ALL_TASKS_SKIPPED: {
    sentence: 'There was nothing to back up: every task was skipped.',
    remedy: 'Look at the reasons of the skipped tasks.',
  },
  SOME_TASKS_FAILED: {
    sentence: 'Not every task of the run succeeded.',
    remedy: 'See the reasons of its tasks with "stillpoint run show".',
  },
  PLAN_FAILED_PRE_SCRIPT: {
    sentence: 'The pre-plan script failed, so no task was started.',
    remedy: "Read the script's output and mend it.",
  },
  EXECUTION_CANCELED_BECAUSE_ERROR_POLICY: {
    sentence: 'The task was cancelled because another task of the run failed under the error policy "halt".',
    remedy: 'Mend what failed first, then run the plan again.',
  },
  EXECUTION_CANCELED_BECAUSE_MAINTENANCE_WINDOW: {
    sentence: 'The task was cancelled because the maintenance window closed before it started.',
    remedy: 'Widen the window or back up fewer devices in it.',
  },
  EXECUTION_CANCELED_BECAUSE_A_DAY_PASSED: {
    sentence: 'The task waited in the queue longer than allowed.',
    remedy: 'Look what held the device up, or raise the parameter queue.maxHours.',
  },
  EXECUTION_CANCELED_BY_OPERATOR: {
    sentence: 'An operator cancelled it.',
    remedy: 'Run the plan again when you are ready.',
  },
  EXECUTION_CANCELED_QUIESCE_TIMEOUT: {
    sentence: 'The device or domain did not become quiesced in time; it was set moving again.',
    remedy: 'Look for long transactions, or raise quiesce.timeoutSeconds or quiesce.graceSeconds.',
  },
  SKIPPED_DEVICE_NOT_AVAILABLE: {
    sentence: 'The device did not answer when the run was prepared.',
    remedy: 'Check the device with "stillpoint device test".',
  },
  SKIPPED_NO_DEVICES_MATCHING_PATTERN: {
    sentence: 'No enabled device matches the pattern.',
    remedy: 'Correct the device pattern of the activity, or add or enable the device.',
  },
  SKIPPED_NO_DOMAINS_MATCHING_PATTERN: {
    sentence: 'No domain of the device matches the pattern.',
    remedy: 'Correct the domain pattern of the activity.',
  },
  SKIPPED_APIC_DOMAIN: {
    sentence: 'The domain belongs to API Connect, which backs it up itself.',
    remedy: 'Nothing to do; exclude the domain in the pattern to leave it out of the list.',
  },
  NOT_ENOUGH_FREE_SPACE_IN_STORE: {
    sentence: 'The store has too little free space.',
    remedy: 'Free space in the store or lower the parameter store.minFreePercent.',
  },
  DOMAIN_ALREADY_QUIESCED: {
    sentence: 'The domain is already quiesced by somebody else, so it was left alone.',
    remedy: 'Find out who quiesced it; run the plan again when the domain is moving.',
  },
  DEVICE_HAS_QUIESCED_DOMAINS: {
    sentence: 'A domain of the device is already quiesced by somebody else, so the device was left alone.',
    remedy: 'Find out who quiesced it; run the plan again when every domain is moving.',
  },
  DEVICE_STILL_BEING_UNQUIESCED: {
    sentence: 'The device is still being set moving again after an earlier task.',
    remedy: 'Look at "stillpoint guard list"; run the plan again when the device is released.',
  },
  DOMAIN_NOT_ON_DEVICE: {
    sentence: 'The domain is no longer on the device.',
    remedy: 'Correct the domain pattern of the activity.',
  },
  DEVICE_NOT_IN_DR_MODE: {
    sentence: 'The device was not initialised for secure backup.',
    remedy: 'Export its domains instead, or re-initialise the device in secure backup mode.',
  },
  CERT_DOESNT_EXIST_ON_DEVICE: {
    sentence: 'The certificate object is not on the device, or is not up.',
    remedy:
      'Create the crypto certificate object in the default domain under the name that the activity gives.',
  },
  NOT_ENOUGH_FREE_SPACE_ON_DEVICE: {
    sentence: "The device's temporary storage has too little room for a secure backup.",
    remedy: 'Free space in temporary: or lower the parameter device.minFreeTemporaryMb.',
  },
  TASK_FAILED_PRE_SCRIPT: {
    sentence: 'The pre-task script failed, so the device was not touched.',
    remedy: "Read the script's output and mend it.",
  },
  QUIESCE_FAILED: {
    sentence: 'The device reported an error while it was being quiesced; it was set moving again.',
    remedy: "Read the device's log; run the plan again when the cause is mended.",
  },
  UNQUIESCE_TIMEOUT: {
    sentence: 'The device was not seen moving again in time; Stillpoint goes on unquiescing it until it is.',
    remedy: 'Look at "stillpoint guard list" and at the device.',
  },
  POST_SCRIPT_FAILED: {
    sentence: 'The post script failed; the backup itself is not touched by that.',
    remedy: "Read the script's output and mend it.",
  },
  DEFAULT_DOMAIN_NOT_QUIESCED: {
    sentence: 'The default domain cannot be quiesced, so its export was taken while it ran.',
    remedy: 'Nothing to do; leave quiesce off for the default domain to avoid this warning.',
  },
  INTERRUPTED: {
    sentence: 'The server stopped in the middle; what had been begun was undone.',
    remedy: 'Run the plan again.',
  },
} as const satisfies Record<string, { sentence: string; remedy: string }>;

/** A code of {@link coreCatalogue}. */
export type ReasonCode = keyof typeof coreCatalogue;
