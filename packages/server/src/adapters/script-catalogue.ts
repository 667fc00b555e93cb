/** The codes of scripts that did not come to an exit code. */
export const scriptCatalogue = {
  SCRIPT_NOT_FOUND: {
    sentence: 'The script is not a file in the scripts folder.',
    remedy: 'Put the file itself, not a link, into the folder that the parameter scripts.path names.',
  },
  SCRIPT_NOT_RUNNABLE: {
    sentence: 'The script could not be started.',
    remedy: 'Make the file executable and check its first line.',
  },
  SCRIPT_TIMED_OUT: {
    sentence: 'The script ran longer than allowed and was killed with all it had started.',
    remedy: 'Mend the script, or raise the parameter scripts.timeoutSeconds.',
  },
  SCRIPT_ABORTED: {
    sentence:
      'The script was cut off with all it had started, because its run was cancelled or the server stopped.',
    remedy: 'Run the plan again.',
  },
} as const;
