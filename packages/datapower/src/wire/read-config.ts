import { printable } from './printable.ts';
import type { Content } from './read-answer.ts';
import { WireProblem } from './wire-problem.ts';
import { textOf, type XmlElement } from './xml-element.ts';

/** One application domain, or `default`. */
export interface Domain {
  readonly name: string;
  readonly isEnabled: boolean;
}

/** A crypto certificate object as configured. */
export interface CertificateConfig {
  readonly name: string;
  readonly isEnabled: boolean;
  /** URL on the appliance. */
  readonly filename: string;
}

/** The objects of a configuration answer for one class; anything but a configuration of that class is a `WireProblem`. */
function configObjects(content: Content | null, className: string): readonly XmlElement[] {
  if (content?.name !== 'config') {
    throw new WireProblem('REPLY_UNEXPECTED', `The answer is not the configuration of ${className}.`);
  }
  const foreign = content.element.children.find((object) => object.name !== className);
  if (foreign) {
    const detail = `The answer configures ${printable(foreign.name)} instead of ${className}.`;
    throw new WireProblem('REPLY_UNEXPECTED', detail);
  }
  return content.element.children;
}

export function readDomains(content: Content | null): readonly Domain[] {
  const objects = configObjects(content, 'Domain');
  if (objects.length === 0) throw new WireProblem('REPLY_UNEXPECTED', 'The answer names no domain.');
  return objects.map((object) => ({ name: nameOf(object), isEnabled: isEnabled(object) }));
}

/** Null when no certificate object has this name. */
export function readCertificate(content: Content | null, name: string): CertificateConfig | null {
  const found = configObjects(content, 'CryptoCertificate').find((object) => nameOf(object) === name);
  if (!found) return null;
  return { name, isEnabled: isEnabled(found), filename: textOf(found, 'Filename') ?? '' };
}

export function hasEnabledObject(content: Content | null, className: string): boolean {
  return configObjects(content, className).some(isEnabled);
}

/** The text of a field of the first object that has it, or null. */
export function readField(content: Content | null, className: string, field: string): string | null {
  for (const object of configObjects(content, className)) {
    const text = textOf(object, field);
    if (text) return text;
  }
  return null;
}

function nameOf(object: XmlElement): string {
  const name = object.attributes.get('name');
  if (name) return name;
  throw new WireProblem('REPLY_UNEXPECTED', `An object of ${object.name} has no name.`);
}

// An object without the field is enabled: it is the appliance's default.
function isEnabled(object: XmlElement): boolean {
  return textOf(object, 'mAdminState') !== 'disabled';
}
