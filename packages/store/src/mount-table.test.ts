import { expect, test } from 'vitest';
import { isRemoteMount, parseMountId, parseMountInfo } from './mount-table.ts';

const table = [
  '27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard',
  '40 27 0:40 / /mnt/my\\040store rw,nosuid shared:5 master:2 - nfs4 filer:/vol\\011x rw,vers=4.2',
  '41 27 0:41 / /mnt/frozen ro,relatime - cifs //filer/share rw,vers=3.1.1',
  'not a line of a mount table',
  '',
].join('\n');

test('a line of the mount table gives file system, source and mount point', () => {
  const mounts = parseMountInfo(table);
  expect(mounts).toHaveLength(3);
  expect(mounts[1]).toMatchObject({
    mountId: 40,
    mountPoint: '/mnt/my store',
    fileSystem: 'nfs4',
    source: 'filer:/vol\tx',
  });
});

test('a mount is read-only when either its own or its file system options say so', () => {
  expect(parseMountInfo(table).map((mount) => mount.isReadOnly)).toEqual([false, false, true]);
});

test('the mount id is found in what the kernel says of a descriptor', () => {
  expect(parseMountId('pos:\t0\nflags:\t02300000\nmnt_id:\t30\nino:\t1\n')).toBe(30);
  expect(parseMountId('pos:\t0\n')).toBeUndefined();
});

test.each([
  'nfs',
  'nfs4',
  'cifs',
  'smb3',
  'ceph',
  'glusterfs',
  'lustre',
  'gpfs',
  'beegfs',
  'fuse.sshfs',
  'fuse.s3fs',
])('%s is a network file system', (fileSystem) =>
  expect(isRemoteMount({ fileSystem, options: [] })).toBe(true),
);

test.each([
  'ext4',
  'xfs',
  'btrfs',
  'zfs',
  'tmpfs',
  'overlay',
  'fuse',
  'fuse.ntfs-3g',
  'virtiofs',
  'gfs2',
  'nfsd',
  '',
])('%s is not a network file system', (fileSystem) =>
  expect(isRemoteMount({ fileSystem, options: [] })).toBe(false),
);

test('a 9p mount counts when it goes over the network', () => {
  expect(isRemoteMount({ fileSystem: '9p', options: ['rw', 'trans=tcp'] })).toBe(true);
  expect(isRemoteMount({ fileSystem: '9p', options: ['rw', 'trans=virtio'] })).toBe(false);
});
