import type { Reply } from './fault.ts';
import type { FileSink } from './reply-receiver.ts';
import type { CallOptions } from './session.ts';
import type { CertificateConfig, Domain } from './wire/read-config.ts';
import type { FileListing } from './wire/read-filestore.ts';
import type { DateTime, DomainStatus, FilesystemStatus, Firmware, ObjectStatus } from './wire/read-status.ts';
import type { BackupScope, SecureBackupOrder } from './wire/requests.ts';

/** A crypto certificate object of the default domain; `opState` where the appliance tells it. */
export interface Certificate extends CertificateConfig {
  readonly opState?: string;
}

/** Whether the appliance can make secure backups; `unknown` when it does not say. */
export type BackupMode = 'secure' | 'normal' | 'unknown';

/** What to back up: which domains, the saved or the running configuration, and a comment kept inside the archive. */
export interface BackupOrder {
  readonly domains: BackupScope;
  readonly isPersisted: boolean;
  readonly comment?: string;
}

/** How many bytes went to the sink. */
export interface Transferred {
  readonly sizeBytes: number;
}

/**
 * One appliance, one method per operation. No method throws for what the world does; reads have the effect `none`,
 * actions say `unknown` when the request may have taken effect though no clear answer came.
 */
export interface Appliance {
  readDomainStatus(options?: CallOptions): Promise<Reply<readonly DomainStatus[]>>;
  readFilesystemStatus(options?: CallOptions): Promise<Reply<FilesystemStatus>>;
  readFirmware(options?: CallOptions): Promise<Reply<Firmware>>;
  readDateTime(options?: CallOptions): Promise<Reply<DateTime>>;
  /** Object status of the default domain. */
  readObjectStatus(options?: CallOptions): Promise<Reply<readonly ObjectStatus[]>>;
  listDomains(options?: CallOptions): Promise<Reply<readonly Domain[]>>;
  /** Null when the default domain has no certificate object of this name. */
  findCertificate(name: string, options?: CallOptions): Promise<Reply<Certificate | null>>;
  readBackupMode(options?: CallOptions): Promise<Reply<BackupMode>>;
  /** True when the domain holds an enabled API Connect gateway service. */
  findApiConnectGateway(domain: string, options?: CallOptions): Promise<Reply<boolean>>;
  /** Everything in a location such as `temporary:`. */
  listFiles(location: string, options?: CallOptions): Promise<Reply<FileListing>>;

  /** Streams the ZIP of a configuration backup; after a fault, what the sink got is worthless. */
  backUpDomains(order: BackupOrder, sink: FileSink, options?: CallOptions): Promise<Reply<Transferred>>;
  /** Streams one file of the appliance; after a fault, what the sink got is worthless. */
  readFile(url: string, sink: FileSink, options?: CallOptions): Promise<Reply<Transferred>>;

  /** Asks for a secure backup; an accepted request may still be at work, see `DomainStatus.currentCommand`. */
  createSecureBackup(order: SecureBackupOrder, options?: CallOptions): Promise<Reply<void>>;
  createDirectory(url: string, options?: CallOptions): Promise<Reply<void>>;
  deleteFile(url: string, options?: CallOptions): Promise<Reply<void>>;
  /** Removes a directory and what is in it. */
  removeDirectory(url: string, options?: CallOptions): Promise<Reply<void>>;
  /** Accepted is not done: see `DomainStatus.quiesceState`. */
  quiesceDomain(
    order: { domain: string; timeoutSeconds: number },
    options?: CallOptions,
  ): Promise<Reply<void>>;
  unquiesceDomain(domain: string, options?: CallOptions): Promise<Reply<void>>;
  /** Quiesces every domain but `default`; accepted is not done. */
  quiesceDevice(order: { timeoutSeconds: number }, options?: CallOptions): Promise<Reply<void>>;
  unquiesceDevice(options?: CallOptions): Promise<Reply<void>>;

  /** Ends the connections cleanly; calls under way end with `CLIENT_CLOSED`. */
  close(): Promise<void>;
}
