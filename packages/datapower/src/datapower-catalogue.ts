/** Every code this package can put into a fault: what happened, and what the operator does next. */
export const datapowerCatalogue = {
  HOST_NOT_FOUND: {
    sentence: 'The name of the device could not be resolved to an address.',
    remedy: 'Check the host of the device and the name server of this machine.',
  },
  DEVICE_UNREACHABLE: {
    sentence: 'No connection to the device could be made.',
    remedy: 'Check host, port and firewall, and that the XML management interface of the device is enabled.',
  },
  TLS_UNTRUSTED: {
    sentence: 'The certificate of the device is not signed by a trusted authority.',
    remedy: 'Give the device the right CA bundle, or pin its certificate.',
  },
  TLS_EXPIRED: {
    sentence: 'The certificate of the device is not valid today.',
    remedy: 'Renew the certificate on the device, or check the clock of this machine.',
  },
  TLS_WRONG_HOST: {
    sentence: 'The certificate of the device was issued for another host.',
    remedy: 'Use a host that the certificate names, or pin the certificate.',
  },
  TLS_PIN_MISMATCH: {
    sentence: 'The certificate of the device is not the pinned one.',
    remedy: 'Find out whether the certificate was replaced on purpose, and only then pin the new one.',
  },
  TLS_PROTOCOL: {
    sentence: 'The device and this machine could not agree on a TLS connection.',
    remedy: 'Check that the port speaks TLS 1.2 or newer with a supported cipher.',
  },
  TRUST_INVALID: {
    sentence: 'The TLS trust of the device is not usable.',
    remedy: 'Correct the pin (64 hexadecimal digits) or the PEM bundle of the device.',
  },
  ADDRESS_INVALID: {
    sentence: 'Host and port of the device do not make an address.',
    remedy: 'Give the device a host name or an IP address, and a port from 1 to 65535.',
  },
  LOGIN_INVALID: {
    sentence: 'The user name of the device cannot be sent.',
    remedy: 'Use a user name without colon and control characters.',
  },
  REQUEST_INVALID: {
    sentence: 'The request cannot be expressed on the wire.',
    remedy: 'Correct the value that the detail names.',
  },
  SENDING_NOT_ALLOWED: {
    sentence:
      'This node did not send the request, because it had been out of touch with its database for too long.',
    remedy:
      'Nothing, if it happens once: whoever holds the work now goes on with it. Otherwise check the database and the load of this machine.',
  },
  CLIENT_CLOSED: {
    sentence: 'The connection to the device had been closed on our side.',
    remedy: 'Try again; if it comes back, report it.',
  },
  ABORTED: {
    sentence: 'The request was given up on our side.',
    remedy: 'Nothing, if the cancellation was wanted; otherwise start it again.',
  },
  DEADLINE_EXCEEDED: {
    sentence: 'The device did not finish its answer in time.',
    remedy: 'Check the load of the device and the network, or allow more time.',
  },
  REPLY_STALLED: {
    sentence: 'The device stopped sending in the middle of its answer.',
    remedy: 'Check the load of the device and the network, then try again.',
  },
  CONNECTION_LOST: {
    sentence: 'The connection broke before the answer was complete.',
    remedy: 'Look at the state of the device before trying again.',
  },
  REDIRECT_REFUSED: {
    sentence: 'The device answered with a redirect, which is never followed.',
    remedy: 'Give the device the host and port of its XML management interface itself.',
  },
  HTTP_STATUS: {
    sentence: 'The answer was an HTTP error and not one of the XML management interface.',
    remedy:
      'Check that host and port are those of the XML management interface and that no proxy stands between.',
  },
  HTTP_UNAVAILABLE: {
    sentence: 'The answer was an HTTP error that says "not now".',
    remedy: 'Try again later; check the load of the device and any proxy in front of it.',
  },
  SINK_FAILED: {
    sentence: 'The received bytes could not be put away.',
    remedy: 'See the error of the store.',
  },
  REPLY_EMPTY: {
    sentence: 'The device closed its answer without a single byte.',
    remedy: 'Look at the log of the device.',
  },
  REPLY_NOT_XML: {
    sentence: 'The answer is not well-formed XML.',
    remedy: 'Check that host and port are those of the XML management interface.',
  },
  REPLY_TRUNCATED: {
    sentence: 'The answer ends before its XML does.',
    remedy: 'Try again; look at the log of the device if it comes back.',
  },
  REPLY_TOO_LARGE: {
    sentence: 'The answer is larger than any right answer to this request.',
    remedy: 'Check that host and port are those of the XML management interface; report it if they are.',
  },
  REPLY_TOO_DEEP: {
    sentence: 'The answer nests its elements deeper than any right answer.',
    remedy: 'Check that host and port are those of the XML management interface.',
  },
  REPLY_HAS_DOCTYPE: {
    sentence: 'The answer contains a document type, which is refused.',
    remedy: 'Check that host and port are those of the XML management interface.',
  },
  REPLY_HAS_NUL: {
    sentence: 'The answer contains NUL bytes.',
    remedy: 'Try again; look at the log of the device if it comes back.',
  },
  REPLY_CHARSET: {
    sentence: 'The answer is not written in UTF-8.',
    remedy: 'Check that host and port are those of the XML management interface.',
  },
  REPLY_NOT_SOAP: {
    sentence: 'The answer is XML, but not a SOAP envelope.',
    remedy: 'Check that host and port are those of the XML management interface.',
  },
  REPLY_REPEATED: {
    sentence: 'The answer holds more than one envelope though one question was asked.',
    remedy: 'Look at the state of the device before trying again; report it if it comes back.',
  },
  REPLY_UNEXPECTED: {
    sentence: 'The answer is not one to this request.',
    remedy: 'Compare the firmware of the device with the supported ones and report it.',
  },
  BASE64_INVALID: {
    sentence: 'The file in the answer is not valid base64.',
    remedy: 'Try again; look at the log of the device if it comes back.',
  },
  EMPTY_FILE: {
    sentence: 'The device answered with an empty file.',
    remedy: 'Free space in the temporary storage of the device, then try again.',
  },
  FILE_NAME_MISMATCH: {
    sentence: 'The device answered with another file than the one asked for.',
    remedy: 'Try again; report it if it comes back.',
  },
  FILE_NOT_READABLE: {
    sentence: 'The device cannot read the file.',
    remedy: 'Check that the file exists and that the user may read its location.',
  },
  STATUS_UNAVAILABLE: {
    sentence: 'The device could not give the status or configuration asked for.',
    remedy: 'Check the rights of the user and the firmware of the device.',
  },
  AUTHENTICATION_FAILED: {
    sentence: 'The device refused user name or password.',
    remedy: 'Correct the user name and password of the device, and check that the account is not locked.',
  },
  NOT_AUTHORISED: {
    sentence: 'The user may not do this on the device, or it is not possible on that object.',
    remedy: 'Give the user the right for this operation and domain.',
  },
  ACTION_REFUSED: {
    sentence: 'The device refused the action.',
    remedy: 'Read the message of the device in the detail.',
  },
  OPERATION_FAILED: {
    sentence: 'The device reported that the operation failed.',
    remedy: 'Read the message in the detail and the log of the device.',
  },
  REQUEST_REJECTED: {
    sentence: 'The device does not know this request.',
    remedy: 'Check that the firmware of the device supports the operation.',
  },
  DEVICE_ERROR: {
    sentence: 'The device reported an internal error.',
    remedy: 'Look at the state and the log of the device before trying again.',
  },
} as const;
