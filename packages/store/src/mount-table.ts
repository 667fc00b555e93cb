/** One line of the kernel's mount table. */
export interface Mount {
  readonly mountId: number;
  readonly mountPoint: string;
  readonly fileSystem: string;
  readonly source: string;
  readonly isReadOnly: boolean;
  readonly options: readonly string[];
}

/** Reads the text of /proc/self/mountinfo; lines of another form are passed over. */
export function parseMountInfo(text: string): Mount[] {
  const mounts: Mount[] = [];
  for (const line of text.split('\n')) {
    const [own, superBlock] = line.split(' - ');
    const ownFields = own?.split(' ') ?? [];
    const [mountId, , , , mountPoint, mountOptions] = ownFields;
    const [fileSystem, source, superOptions = ''] = superBlock?.split(' ') ?? [];
    if (mountId === undefined || mountPoint === undefined || mountOptions === undefined) continue;
    if (fileSystem === undefined || source === undefined) continue;
    const options = [...mountOptions.split(','), ...superOptions.split(',')];
    mounts.push({
      mountId: Number(mountId),
      mountPoint: unescapeOctal(mountPoint),
      fileSystem,
      source: unescapeOctal(source),
      isReadOnly: options.includes('ro'),
      options,
    });
  }
  return mounts;
}

/** Reads the mount id out of the text of /proc/self/fdinfo/<fd>. */
export function parseMountId(fdInfo: string): number | undefined {
  const match = /^mnt_id:\s*(\d+)$/m.exec(fdInfo);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

// Cluster file systems on shared block devices (gfs2, ocfs2) and shares of a virtual machine's own host (virtiofs,
// vboxsf, 9p over virtio) are left out: they are not the network file system that the operator asked to be sure of.
const remoteFileSystems: ReadonlySet<string> = new Set([
  'nfs',
  'nfs4',
  'cifs',
  'smb3',
  'smbfs',
  'afs',
  'beegfs',
  'ceph',
  'coda',
  'davfs',
  'glusterfs',
  'gpfs',
  'lustre',
  'ncpfs',
  'orangefs',
  'panfs',
  'pvfs2',
  'wekafs',
]);

const remoteFuse: ReadonlySet<string> = new Set([
  'beegfs',
  'ceph',
  'ceph-fuse',
  'cifs',
  'curlftpfs',
  'davfs',
  'gcsfuse',
  'glusterfs',
  'goofys',
  'juicefs',
  'lizardfs',
  'mfs',
  'moosefs',
  'mount-s3',
  'nfs',
  'rclone',
  's3fs',
  'seaweedfs',
  'smbnetfs',
  'sshfs',
]);

/** Whether a mount brings in files of another machine over the network. */
export function isRemoteMount(mount: Pick<Mount, 'fileSystem' | 'options'>): boolean {
  const { fileSystem, options } = mount;
  if (fileSystem === '9p') return options.includes('trans=tcp') || options.includes('trans=rdma');
  if (fileSystem.startsWith('fuse.')) return remoteFuse.has(fileSystem.slice('fuse.'.length));
  return remoteFileSystems.has(fileSystem);
}

// The kernel writes blank, tab, line feed and backslash as \040, \011, \012 and \134.
function unescapeOctal(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
