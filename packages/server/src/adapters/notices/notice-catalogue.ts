/** What can stand in the way of a notice. */
export const noticeCatalogue = {
  CHANNEL_NOT_SET_UP: {
    sentence: 'A parameter that the channel needs is not set.',
    remedy: 'Set the parameter that is named, or take the channel out of the plan.',
  },
  SECRET_NOT_READABLE: {
    sentence: 'A secret parameter was kept with another key than the server has now.',
    remedy:
      'Bring back the key that the server had (secret.key, STILLPOINT_SECRET_KEY), or set the parameter again.',
  },
  RECEIVER_UNREACHABLE: {
    sentence: 'The receiver of notices could not be reached, or broke the connection off.',
    remedy: 'Check the address in the parameters, the network and the receiver; it is tried again by itself.',
  },
  RECEIVER_NOT_TRUSTED: {
    sentence:
      'The connection to the receiver of notices could not be secured, or its certificate is not trusted.',
    remedy:
      'Set notices.caPem to the certificate of the authority that signed it, and name the host as the certificate does.',
  },
  RECEIVER_REFUSED: {
    sentence: 'The receiver answered that it does not take the notice.',
    remedy: 'Read what it answered; "stillpoint notify test" tries again.',
  },
  RECEIVER_LOGIN_REFUSED: {
    sentence: 'The mail server did not let us log in.',
    remedy: 'Set mail.username and mail.password, and have the connection secured (mail.security).',
  },
  RECEIVER_TIMED_OUT: {
    sentence: 'The receiver of notices did not answer in time.',
    remedy: 'Check the receiver; it is tried again by itself.',
  },
  MISTAKE_OF_OURS: {
    sentence: 'Sending a notice met a mistake of Stillpoint.',
    remedy: 'Look into the log of the node and report it; it is tried again by itself.',
  },
} as const;
