import type { ApplianceAddress, DatapowerCode, Deadlines, Trust } from '@stillpoint/datapower';
import type {
  BackupManifest,
  KnownStore,
  Manifest,
  PublishRequest,
  ReceivedFile,
  RescanReport,
  StoreCode,
  StoreLocation,
  StoreMarker,
  StoreStatus,
  VerifiedExport,
} from '@stillpoint/store';
import type { MoverCode } from './mover-catalogue.ts';
import type { Until } from './permission.ts';

/** Where a download comes from; its deadlines must end before that of the order, or a slow device passes for a hung store. */
export interface FetchSource {
  readonly address: ApplianceAddress;
  readonly deadlines: Partial<Deadlines>;
  /** The serial number the backup must name; null skips the comparison. */
  readonly expectedSerialNumber: string | null;
}

/** Each kind of order: what it carries and what a good reply to it holds. */
export interface MoverWork {
  checkStore: { carries: { store: KnownStore; minFreePercent: number }; answers: StoreStatus };
  initStore: { carries: { location: StoreLocation }; answers: StoreMarker };
  /** Download of one export into the incoming folder, and its verification. */
  fetchExport: {
    carries: {
      store: KnownStore;
      source: FetchSource;
      taskId: string;
      /** Names, or all: then those seen on the device right before, null when they are not known. */
      domains: readonly string[] | { readonly allDomains: readonly string[] | null };
      isPersisted: boolean;
      comment: string;
      verifiesHashes: boolean;
    };
    answers: { file: ReceivedFile; verified: VerifiedExport };
  };
  /** Download of everything that backupmanifest.xml in a directory of the appliance names, and its verification. */
  fetchSecureBackup: {
    carries: { store: KnownStore; source: FetchSource; taskId: string; directoryUrl: string };
    answers: { files: readonly ReceivedFile[]; manifest: BackupManifest };
  };
  publishBackup: { carries: { store: KnownStore; request: PublishRequest }; answers: Manifest };
  discardBackup: { carries: { store: KnownStore; taskId: string }; answers: undefined };
  rescan: { carries: { store: KnownStore; checksHashes: boolean }; answers: RescanReport };
  hashFile: { carries: { store: KnownStore; path: string }; answers: { sizeBytes: number; sha256: string } };
  readFilePart: {
    carries: { store: KnownStore; path: string; offsetBytes: number; lengthBytes: number };
    answers: Uint8Array;
  };
}

/** A kind of order. */
export type MoverKind = keyof MoverWork;

/** One order to a mover; a login in it prints as `[redacted]`. */
export type MoverOrder<K extends MoverKind = MoverKind> = {
  [Kind in K]: { readonly kind: Kind } & Readonly<MoverWork[Kind]['carries']>;
}[K];

/** What the world did to an order; the code is one of the store's, the appliance's or the movers'. */
export interface MoverFault {
  readonly code: StoreCode | DatapowerCode | MoverCode;
  readonly effect: 'none' | 'unknown';
  readonly retryable: boolean;
  readonly detail: string;
}

/** The reply to an order of a kind. */
export type MoverReply<K extends MoverKind = MoverKind> =
  | { readonly ok: true; readonly value: MoverWork[K]['answers'] }
  | { readonly ok: false; readonly fault: MoverFault };

/** How far a download is; `bytes` counts all files so far. */
export interface MoverProgress {
  readonly files: number;
  readonly bytes: number;
}

/** What the server says to a mover. The channel between the two is the only place that sees a password in clear. */
export type ServerMessage =
  | {
      readonly kind: 'order';
      readonly orderId: number;
      readonly order: object;
      /** How long the mover may act on it unless it is told anew; null for orders that nobody has to permit. */
      readonly until: Until | null;
    }
  | { readonly kind: 'permitted'; readonly orderId: number; readonly until: Until };

/** What a mover says to the server. */
export type MoverMessage =
  /** It can take an order now; the first thing it says. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'progress'; readonly orderId: number; readonly progress: MoverProgress }
  | { readonly kind: 'reply'; readonly orderId: number; readonly reply: MoverReply };

/** Orders that end soon; they have movers of their own, so that none waits behind a download of hours. */
export function isShortOrder(kind: MoverKind): boolean {
  switch (kind) {
    case 'checkStore':
    case 'initStore':
    case 'publishBackup':
    case 'discardBackup':
    case 'readFilePart':
      return true;
    case 'fetchExport':
    case 'fetchSecureBackup':
    case 'rescan':
    case 'hashFile':
      return false;
  }
}

/**
 * Orders that act for a task. They are given and carried out only while this node may act, for the task may be in other
 * hands afterwards; the others only look, or are asked for by an operator.
 */
export function isForTask(kind: MoverKind): boolean {
  switch (kind) {
    case 'fetchExport':
    case 'fetchSecureBackup':
    case 'publishBackup':
    case 'discardBackup':
      return true;
    case 'checkStore':
    case 'initStore':
    case 'readFilePart':
    case 'rescan':
    case 'hashFile':
      return false;
  }
}

interface PlainAddress {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  readonly tls: Trust;
}

/** The form of an order in which it goes through the channel, its password in clear. */
export function packOrder(order: MoverOrder): object {
  if (order.kind !== 'fetchExport' && order.kind !== 'fetchSecureBackup') return order;
  const { address } = order.source;
  const plain: PlainAddress = { ...address, password: address.password.reveal() };
  return { ...order, source: { ...order.source, address: plain } };
}

/** Makes an order again of what came through the channel. */
export async function unpackOrder(packed: object): Promise<MoverOrder> {
  const order = packed as MoverOrder;
  if (order.kind !== 'fetchExport' && order.kind !== 'fetchSecureBackup') return order;
  const plain = order.source.address as unknown as PlainAddress;
  const { Secret } = await import('@stillpoint/datapower');
  return {
    ...order,
    source: { ...order.source, address: { ...plain, password: new Secret(plain.password) } },
  };
}
