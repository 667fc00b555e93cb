import type { SomaRequest } from './soma-request.ts';

/** What a request is about, as the request log shows it and fault orders match it. */
export interface RequestSubject {
  readonly operation: string;
  readonly class: string | undefined;
  readonly domains: readonly string[];
  /** File or object the request names. */
  readonly name: string | undefined;
  readonly isPersisted: boolean | undefined;
}

/** Reads off what a request is about. */
export function subjectOf(request: SomaRequest): RequestSubject {
  const { body, operation, domain } = request;
  const plain = { operation, class: undefined, domains: [domain], name: undefined, isPersisted: undefined };
  switch (body.kind) {
    case 'do-backup':
      return { ...plain, domains: body.domains, isPersisted: body.isPersisted };
    case 'get-status':
      return { ...plain, class: body.class, name: body.objectName };
    case 'get-config':
      return { ...plain, class: body.class, name: body.name };
    case 'get-filestore':
      return { ...plain, name: body.location };
    case 'get-file':
    case 'set-file':
      return { ...plain, name: body.name };
    case 'do-action': {
      const { action } = body;
      const name = 'url' in action ? action.url : undefined;
      const domains = 'domain' in action ? [action.domain] : [domain];
      if (action.name === 'SecureBackup') {
        return { ...plain, name: action.destination };
      }
      return action.name === 'MoveFile' ? { ...plain, name: action.from } : { ...plain, domains, name };
    }
    case 'unsupported':
      return plain;
  }
}
