const sayAgain =
  'Run the backup again; when it happens again, look at the log of the appliance and of the network.';
const askStoreAdmin = 'Ask the administrator of the store to look at the file system and its server.';

/** Every code a store fault can carry, with what happened and what the operator does next. */
export const storeCatalogue = {
  STORE_PATH_NOT_SET: {
    sentence: 'No path of a store has been set.',
    remedy: 'Set the parameter store.path to the mount point that receives the backups.',
  },
  STORE_PATH_INVALID: {
    sentence: 'The path of the store is not an absolute path.',
    remedy: 'Set the parameter store.path to an absolute path.',
  },
  STORE_DOES_NOT_EXIST: {
    sentence: 'The path of the store is not an existing directory.',
    remedy: 'Mount the store, or correct the parameter store.path.',
  },
  STORE_IS_NOT_MOUNTED: {
    sentence: 'The path of the store does not lie on a mounted network file system.',
    remedy: 'Mount the network file system; for a local store set store.requireRemoteMount to false.',
  },
  STORE_MARKER_MISSING: {
    sentence: 'The store does not carry the marker file that Stillpoint writes when a store is set up.',
    remedy: 'Check that the right file system is mounted; a new store is set up with the store init command.',
  },
  STORE_MARKER_DIFFERS: {
    sentence: 'The store carries the marker of another store.',
    remedy: 'Mount the right file system; to go on with this one, set up the store anew.',
  },
  STORE_MARKER_UNREADABLE: {
    sentence: 'The marker file of the store cannot be understood.',
    remedy: 'Restore .stillpoint/store.json of the store from a copy; do not write a new one over it.',
  },
  STORE_OUT_OF_SPACE: {
    sentence: 'There is not enough free space in the store.',
    remedy: 'Free some space in the store, enlarge it, or lower the parameter store.minFreePercent.',
  },
  STORE_READ_ONLY: {
    sentence: 'The store is mounted read-only.',
    remedy: 'Mount the store for writing; when it turned read-only by itself, check its disk first.',
  },
  STORE_ACCESS_DENIED: {
    sentence: 'The server may not do this in the store.',
    remedy: 'Give the account that runs the server the right to read and write everything in the store.',
  },
  STORE_TOO_MANY_OPEN_FILES: {
    sentence: 'The server has too many files open.',
    remedy: 'Raise the limit of open files of the server, or lower the parameter devices.parallel.',
  },
  STORE_CONNECTION_LOST: {
    sentence: 'The connection to the file server of the store was lost.',
    remedy: askStoreAdmin,
  },
  STORE_IO_ERROR: { sentence: 'The file system of the store reported an error.', remedy: askStoreAdmin },
  STORE_PATH_LEAVES_STORE: {
    sentence: 'A path inside the store leads to another file system or through a link.',
    remedy: 'Remove the link or the mount inside the store; the store must be one file system.',
  },
  STORE_FILE_MISSING: {
    sentence: 'A file that should be in the store is not there.',
    remedy: 'Run the store rescan command, and find out who removed the file.',
  },
  STORE_FILE_CHANGED: {
    sentence: 'A received file is not what was received.',
    remedy: 'Run the backup again, and find out who changes files below .stillpoint in the store.',
  },
  STORE_MANIFEST_UNREADABLE: {
    sentence: 'The manifest of a backup cannot be understood.',
    remedy: 'Restore the manifest below .stillpoint/catalog from a copy, then run the store rescan command.',
  },
  STORE_PUBLISH_CONFLICT: {
    sentence: 'A backup cannot be put at its place in the store.',
    remedy: 'Run the store rescan command and look at what it finds at that place.',
  },
  STORE_PUBLISH_NOT_ALLOWED: {
    sentence: 'A backup was not put at its place, because this node had lost touch with its database.',
    remedy:
      'Nothing, if it happens once: whoever holds the task now goes on with it. Otherwise check the database and the load of this machine.',
  },
  EXPORT_EMPTY: { sentence: 'The appliance sent an export without any content.', remedy: sayAgain },
  EXPORT_NOT_A_ZIP: { sentence: 'What the appliance sent is not a ZIP archive.', remedy: sayAgain },
  EXPORT_TRUNCATED: { sentence: 'The archive of the export ends too early.', remedy: sayAgain },
  EXPORT_DAMAGED: { sentence: 'The archive of the export contradicts itself.', remedy: sayAgain },
  EXPORT_BAD_CRC: { sentence: 'A file in the export does not match its checksum.', remedy: sayAgain },
  EXPORT_UNSUPPORTED_COMPRESSION: {
    sentence: 'A file in the export is encrypted or packed in an unknown way.',
    remedy: 'Report the firmware version of the appliance; the export cannot be checked.',
  },
  EXPORT_UNSAFE_ENTRY: {
    sentence: 'A name in the export leads out of the folder it would be unpacked into, or is a link.',
    remedy: 'Treat the appliance as suspect: an appliance does not write such an export.',
  },
  EXPORT_TOO_LARGE: {
    sentence: 'The export unpacks to more than an appliance can hold.',
    remedy: 'Treat the appliance as suspect: an appliance does not write such an export.',
  },
  EXPORT_WITHOUT_MANIFEST: { sentence: 'The export holds no export.xml.', remedy: sayAgain },
  EXPORT_MANIFEST_UNREADABLE: {
    sentence: 'An export.xml of the export cannot be understood.',
    remedy: sayAgain,
  },
  EXPORT_WRONG_DOMAINS: {
    sentence: 'The export does not name exactly the domains that were asked for.',
    remedy: 'Check the rights of the user of the device on each domain, then run the backup again.',
  },
  EXPORT_DOMAIN_MISSING: {
    sentence: 'The export names a domain whose package it does not hold.',
    remedy: 'Check the rights of the user of the device on each domain, then run the backup again.',
  },
  EXPORT_FILE_MISSING: {
    sentence: 'The export lists a file that it does not hold.',
    remedy: 'Run the backup again; the parameter verify.exportHashes false skips this check.',
  },
  EXPORT_HASH_MISMATCH: {
    sentence: 'A file in the export does not match the hash that the appliance wrote for it.',
    remedy: 'Run the backup again; the parameter verify.exportHashes false skips this check.',
  },
  EXPORT_OF_ANOTHER_DEVICE: {
    sentence: 'The export was written by another appliance.',
    remedy: 'Check the host of the device: its address seems to lead to another appliance.',
  },
  BACKUP_MANIFEST_MISSING: { sentence: 'The secure backup has no backupmanifest.xml.', remedy: sayAgain },
  BACKUP_MANIFEST_EMPTY: {
    sentence: 'The backupmanifest.xml of the secure backup names no file.',
    remedy: sayAgain,
  },
  BACKUP_MANIFEST_UNREADABLE: {
    sentence: 'The backupmanifest.xml of the secure backup cannot be understood.',
    remedy: sayAgain,
  },
  BACKUP_FILE_MISSING: { sentence: 'A file named by backupmanifest.xml was not received.', remedy: sayAgain },
  BACKUP_SIZE_MISMATCH: {
    sentence: 'A file of the secure backup has another size than backupmanifest.xml says.',
    remedy: sayAgain,
  },
  BACKUP_HASH_MISMATCH: {
    sentence: 'A file of the secure backup has another hash than backupmanifest.xml says.',
    remedy: sayAgain,
  },
  BACKUP_UNKNOWN_ALGORITHM: {
    sentence: 'The backupmanifest.xml holds a checksum that is neither SHA-1 nor SHA-512.',
    remedy: 'Report the firmware version of the appliance; the secure backup cannot be checked.',
  },
  BACKUP_UNSAFE_NAME: {
    sentence: 'The backupmanifest.xml names a file by something that is not a plain file name.',
    remedy: 'Treat the appliance as suspect: an appliance does not write such a manifest.',
  },
  BACKUP_EXTRA_FILE: {
    sentence: 'The secure backup holds a file that backupmanifest.xml does not name.',
    remedy: sayAgain,
  },
  BACKUP_OF_ANOTHER_DEVICE: {
    sentence: 'The secure backup was written by another appliance.',
    remedy: 'Check the host of the device: its address seems to lead to another appliance.',
  },
  RESCAN_MANIFEST_UNREADABLE: {
    sentence: 'A manifest in the store cannot be understood.',
    remedy: 'Restore it from a copy of the store; without it its backup is not offered for a restore.',
  },
  RESCAN_PUBLISH_UNFINISHED: {
    sentence: 'A backup was verified but not put at its place.',
    remedy: 'Nothing, if a task is running; otherwise start the server, which finishes or discards it.',
  },
  RESCAN_FILE_MISSING: {
    sentence: 'A file of a backup is not in the store.',
    remedy: 'Restore it from a copy of the store, and find out who removed it.',
  },
  RESCAN_FILE_DAMAGED: {
    sentence: 'A file of a backup is not what was stored.',
    remedy: 'Restore it from a copy of the store, take a new backup, and check the disk of the store.',
  },
  RESCAN_FILE_UNKNOWN: {
    sentence: 'A file in the store belongs to no backup of Stillpoint.',
    remedy: 'Move it out of the store; Stillpoint never removes what it did not write.',
  },
  RESCAN_LEFTOVER: {
    sentence: 'Something is left in the working folders of the store.',
    remedy: 'Nothing, if a task is running; otherwise the server removes it when it ends that task.',
  },
} as const;

/** A code of the store's catalogue. */
export type StoreCode = keyof typeof storeCatalogue;
