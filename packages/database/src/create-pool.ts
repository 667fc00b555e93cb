import { Pool, type PoolConfig, types } from 'pg';
import { PreparingClient } from './preparing-client.ts';

const oid = { int8: 20, date: 1082, timestamp: 1114 } as const;
const poolSize = 10;
const connectLimitMs = 10_000;

/**
 * A pool whose values do not depend on zone or locale: int8 is a number (an error beyond 2^53), `date` and `timestamp`
 * without zone stay text, `timestamptz` is a Date. `onIdleLoss` hears of connections that broke while nobody used them.
 * The server ends a transaction whose client says nothing for `silenceMs`; 0 for never.
 */
export function createPool(target: PoolConfig, onIdleLoss: (error: Error) => void, silenceMs = 0): Pool {
  const pool = new Pool({
    Client: PreparingClient,
    max: poolSize,
    connectionTimeoutMillis: connectLimitMs,
    keepAlive: true,
    application_name: 'stillpoint',
    ...target,
    types: { getTypeParser },
    onConnect: async (client) => {
      await client.query(`set time zone 'UTC'; set idle_in_transaction_session_timeout = ${silenceMs}`);
    },
  });
  // Without a listener a lost idle connection would end the program.
  pool.on('error', onIdleLoss);
  // The same for one that is lost between two statements of a transaction; there the next statement fails.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

function getTypeParser(typeOid: number, format?: 'text' | 'binary'): (value: string) => unknown {
  if (format !== 'binary') {
    if (typeOid === oid.int8) return parseInt8;
    if (typeOid === oid.date || typeOid === oid.timestamp) return (value) => value;
  }
  return types.getTypeParser(typeOid, format as 'text');
}

function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Error(`the int8 value ${text} is beyond 2^53`);
  return value;
}
