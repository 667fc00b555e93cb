import { Client } from 'pg';
import { type DatabaseError, databaseFailure, databaseRefusal } from './database-error.ts';

const oldestVersionNumber = 150_000;
const answerLimitMs = 10_000;

/**
 * Makes sure that a usable PostgreSQL answers at the address, or throws DATABASE_URL_INVALID, DATABASE_UNREACHABLE,
 * DATABASE_TOO_OLD or DATABASE_NOT_UTF8. No detail ever holds the password.
 */
export async function checkExternalDatabase(url: string): Promise<void> {
  const place = describePlace(url);
  const client = makeClient(url);
  // A connection that breaks later than the query is reported by the query itself.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<ServerFacts>(
      `select current_setting('server_version') as version,
              current_setting('server_version_num')::int4 as version_number,
              current_setting('server_encoding') as encoding`,
    );
    checkServer(place, rows[0] as ServerFacts);
  } catch (error) {
    throw describeFailure(place, error);
  } finally {
    await client.end().catch(() => undefined);
  }
}

type ServerFacts = { version: string; version_number: number; encoding: string };

function checkServer(place: string, facts: ServerFacts): void {
  if (facts.version_number < oldestVersionNumber) {
    throw databaseRefusal(
      'DATABASE_TOO_OLD',
      `${place} is PostgreSQL ${facts.version}; 15 is the oldest that will do.`,
    );
  }
  if (facts.encoding !== 'UTF8') {
    throw databaseRefusal('DATABASE_NOT_UTF8', `${place} has the encoding ${facts.encoding}.`);
  }
}

/** Host, port and database of an address, without user, password and parameters. */
function describePlace(url: string): string {
  // PostgreSQL allows an address without a host, which the standard for addresses does not.
  const parsed = URL.parse(url) ?? URL.parse(url.replace('@/', '@localhost/'));
  // No cause is kept here and below: the errors of the parsers hold the whole address with its password.
  if (parsed === null) throw databaseRefusal('DATABASE_URL_INVALID', 'It cannot be read as an address.');
  if (parsed.protocol !== 'postgres:' && parsed.protocol !== 'postgresql:') {
    throw databaseRefusal(
      'DATABASE_URL_INVALID',
      `It begins with "${parsed.protocol}", not with "postgresql:".`,
    );
  }
  const host = parsed.searchParams.get('host') || parsed.host || 'localhost';
  return `${host}${parsed.pathname}`;
}

function makeClient(url: string): Client {
  try {
    return new Client({
      connectionString: url,
      connectionTimeoutMillis: answerLimitMs,
      query_timeout: answerLimitMs,
      application_name: 'stillpoint',
    });
  } catch {
    throw databaseRefusal('DATABASE_URL_INVALID', "PostgreSQL's client library cannot use it.");
  }
}

function describeFailure(place: string, error: unknown): unknown {
  if ((error as DatabaseError).fault !== undefined) return error;
  const { code, message } = error as Error & { code?: string };
  const isAboutLogin = /^(28|3D|42)/.test(code ?? '');
  const detail = `${place}: ${[code, message].filter(Boolean).join(' ')}.`;
  return (isAboutLogin ? databaseRefusal : databaseFailure)('DATABASE_UNREACHABLE', detail, error);
}
