// SPDX-License-Identifier: Apache-2.0

extension SuiteTests {
  /// Mounting (cli 21).
  static let mounting = #"""
    $ create-layer --id l1
    1| l1
    $ create-layer --id l2
    1| l2
    $ create-image --id i1 l1
    1| i1
    $ mount l1 nope
    1vfs| /w/g/vfs/dir/l1
    1overlay| /w/g/overlay/l1/merged
    1| 
    2| layer not known while mounting nope
    rc=1
    $ mount -j l1 nope
    1vfs| [{"id":"l1","mountpoint":"/w/g/vfs/dir/l1","error":""},{"id":"nope","mountpoint":"","error":"layer not known"}]
    1overlay| [{"id":"l1","mountpoint":"/w/g/overlay/l1/merged","error":""},{"id":"nope","mountpoint":"","error":"layer not known"}]
    rc=1
    $ mounted l1 l2 nope
    1| l1 mounted
    2| layer not known checking if nope is mounted
    rc=1
    $ mounted -j l1 l2 nope
    1| l1 mounted
    1| [{"id":"l1","error":""},{"id":"l2","error":""},{"id":"nope","error":"layer not known"}]
    rc=1
    $ shutdown
    2| shutdown: a layer is mounted: layer is in use by a container
    rc=1
    $ shutdown -j
    1| {}
    2| shutdown: a layer is mounted: layer is in use by a container
    rc=1
    $ unmount l1
    $ unmount l1
    1| l1 mountpoint unmounted
    $ umount l1
    1| l1 mountpoint unmounted
    $ mounted l1
    $ unmount nope
    2| layer not known while unmounting nope
    rc=1
    $ unmount -j nope l2
    1| l2 mountpoint unmounted
    1| [{"id":"nope","error":"layer not known"},{"id":"l2","error":""}]
    rc=1
    $ mount --opt nodev,size=5 l2
    1vfs| /w/g/vfs/dir/l2
    1overlay| /w/g/overlay/l2/merged
    $ mount -o "x l2
    1vfs| /w/g/vfs/dir/l2
    1overlay| /w/g/overlay/l2/merged
    $ mounted l2
    1| l2 mounted
    $ unmount -f l2
    1| l2 mountpoint unmounted
    $ mounted l2
    $ mount -r nope
    1| 
    2| locating image with ID "nope": image not known while mounting nope
    rc=1
    $ mount -r i1
    1vfs| /w/g/vfs/dir/l1
    1overlay| /w/g/overlay/l1/merged
    $ unmount i1
    $ mount l2
    1vfs| /w/g/vfs/dir/l2
    1overlay| /w/g/overlay/l2/merged
    $ shutdown -f
    2| shutdown: a layer is mounted: layer is in use by a container
    rc=1
    $ shutdown -f
    $ mounted l2
    """#
}
