import type { Appliance } from '../appliance.ts';
import type { Content } from '../content/content.ts';
import { element, field, writeXml, type XmlNode, type XmlSegment, type XmlTree } from '../xml/write-xml.ts';

/** What an appliance says to one request, before anything goes wrong on the way. */
export interface Answer {
  readonly status: number;
  /** The envelope without the XML declaration, because only the first of a batch has one. */
  readonly segments: readonly XmlSegment[];
  /** `ok`, or the kind of failure, as the request log shows it. */
  readonly outcome: string;
  /** The bytes the answer hands over, if any. */
  readonly served?: Content;
}

/** The declaration before the first envelope. */
export const XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';

const ENVELOPE_NAMESPACE = 'http://schemas.xmlsoap.org/soap/envelope/';
const MANAGEMENT_NAMESPACE = 'http://www.datapower.com/schemas/management';
const PADDED_OK = '\n                        OK\n                    ';

/** The request was carried out. */
export function okAnswer(appliance: Appliance): Answer {
  const text = appliance.firmwareMajor <= 6 ? PADDED_OK : 'OK';
  return respond(appliance, 'ok', field('dp:result', text));
}

/** An answer that carries data, such as `dp:status`. */
export function dataAnswer(appliance: Appliance, data: XmlTree): Answer {
  return respond(appliance, 'ok', data);
}

/** An answer that carries a file; get-file echoes the name, do-backup gives none. */
export function fileAnswer(appliance: Appliance, content: Content, name?: string): Answer {
  const attributes = name === undefined ? {} : { name };
  const file = element('dp:file', attributes, { base64: content });
  return { ...respond(appliance, 'ok', file), served: content };
}

/** Nothing was produced, usually for want of space in temporary: storage. */
export function emptyFileAnswer(appliance: Appliance): Answer {
  return respond(appliance, 'empty-file', element('dp:file'));
}

/** The login failed; the only answer without a timestamp. */
export function loginFailureAnswer(): Answer {
  const response = element(
    'dp:response',
    { 'xmlns:dp': MANAGEMENT_NAMESPACE },
    field('dp:result', 'Authentication failure'),
  );
  return { status: 200, segments: envelope(response), outcome: 'login-failure' };
}

/** The operation is not permitted, or impossible on that object. */
export function notPermittedAnswer(appliance: Appliance): Answer {
  return respond(appliance, 'not-permitted', field('dp:result', 'Authentication failure'));
}

/** An operation failed with nothing but a text. */
export function textAnswer(appliance: Appliance, text: string): Answer {
  return respond(appliance, 'text', field('dp:result', text));
}

/** An action was refused; older firmware adds the command line it came to. */
export function errorLogAnswer(
  appliance: Appliance,
  message: string,
  about: { domain: string; command: string },
): Answer {
  const events = [element('log-event', { level: 'error' }, message)];
  if (appliance.firmwareMajor < 10) {
    const origin = `(${appliance.description.username}:${about.domain}:saml-artifact:127.0.0.1)`;
    events.push(element('log-event', { level: 'error' }, `${origin}: (config)# ${about.command}`));
  }
  return respond(appliance, 'error-log', element('dp:result', {}, element('error-log', {}, ...events)));
}

/** The same refusal as some newer firmware writes it, with a prefixed event. */
export function prefixedErrorLogAnswer(appliance: Appliance, message: string): Answer {
  const event = element('dp:log-event', { level: 'error' }, message);
  return respond(appliance, 'error-log-prefixed', element('dp:result', {}, element('error-log', {}, event)));
}

/** The request is not one the schema allows, or no XML at all. */
export function soapFaultAnswer(): Answer {
  const fault = element(
    'env:Fault',
    {},
    field('faultcode', 'env:Client'),
    field('faultstring', 'Internal Error (from client)'),
  );
  return { status: 500, segments: envelope(fault), outcome: 'soap-fault' };
}

function respond(appliance: Appliance, outcome: string, content: XmlTree): Answer {
  const timestamp = field('dp:timestamp', appliance.time().timestamp);
  const response = element('dp:response', { 'xmlns:dp': MANAGEMENT_NAMESPACE }, timestamp, content);
  return { status: 200, segments: envelope(response), outcome };
}

function envelope(content: XmlNode): XmlSegment[] {
  return writeXml(
    element('env:Envelope', { 'xmlns:env': ENVELOPE_NAMESPACE }, element('env:Body', {}, content)),
  );
}
