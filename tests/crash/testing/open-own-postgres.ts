import {
  type KillablePostgres,
  openKillablePostgres,
} from '../../../packages/database/src/testing/open-killable-postgres.ts';
import { addressOf, type ClusterDatabase } from './begin-cluster.ts';

/** A PostgreSQL of the test's own, which is back soon after it was killed. */
export type OwnPostgres = ClusterDatabase & Pick<KillablePostgres, 'kill'>;

/** Starts one for a cluster. */
export async function openOwnPostgres(): Promise<OwnPostgres> {
  const postgres = await openKillablePostgres();
  const { login } = postgres;
  return { ...postgres, url: addressOf(login), socketFolder: login.host };
}
