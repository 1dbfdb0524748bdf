// SPDX-License-Identifier: Apache-2.0

extension SuiteTests {
  /// What commands show of an additional image store, and refuse there (cli 11, 13 to 22; store-semantics 14).
  static let additionalStore = #"""
    ! printf 'hello, world\n' > file && tar --owner=0 --group=0 --mtime=@0 -cf layer.tar file
    $ import-layer -g /w/a -R /w/ra --id rol1 -n rolayer -f layer.tar
    1| rol1
    1| →rolayer
    $ create-layer -g /w/a -R /w/ra --id rol2 rol1
    1| rol2
    $ create-image -g /w/a -R /w/ra --id roi1 -n ro:1 -m text rol2
    1| roi1
    1| →ro:1
    $ set-image-data -g /w/a -R /w/ra -f file roi1 key
    with --storage-opt <driver>.imagestore=/w/a
    $ create-layer --id l1
    1| l1
    $ layers
    1| l1
    1| rol1
    1| →name: rolayer
    1| rol2
    1| →image: roi1
    1| →→name: ro:1
    $ layers -t
    1| (base)
    1| ├─l1
    1| └─rol1
    1|   name: rolayer
    1|   └─rol2
    1|     image: roi1
    1|     image name: ro:1
    $ layers -j
    1| [{"id":"l1","created":"…"},{"id":"rol1","names":["rolayer"],"created":"…","compressed-diff-digest":"sha256:<64>","compressed-size":10240,"diff-digest":"sha256:<64>","diff-size":10240,"uidset":[0],"gidset":[0]},{"id":"rol2","parent":"rol1","created":"…"}]
    $ layer rol2 rolayer l1
    1| ID: rol2
    1| Parent: rol1
    1| Read Only: true
    1| ID: rol1
    1| Name: rolayer
    1| Read Only: true
    1| ID: l1
    $ layer -j rol2
    1| [{"id":"rol2","parent":"rol1","created":"…"}]
    $ storage-layers
    1| l1
    $ images
    1| roi1
    1| →name: ro:1
    1| →data: key
    $ images -j
    1| [{"id":"roi1","names":["ro:1"],"layer":"rol2","metadata":"text","big-data-names":["key"],"big-data-sizes":{"key":13},"big-data-digests":{"key":"sha256:<64>"},"created":"…"}]
    $ image ro:1
    1| ID: roi1
    1| Name: ro:1
    1| Top Layer: rol2
    1| Data: key
    1| Size: 10253
    1| Read Only: true
    $ image -j roi1
    1| [{"id":"roi1","names":["ro:1"],"layer":"rol2","metadata":"text","big-data-names":["key"],"big-data-sizes":{"key":13},"big-data-digests":{"key":"sha256:<64>"},"created":"…"}]
    $ exists ro:1 rol1
    1| ro:1: true
    1| rol1: true
    $ metadata roi1
    1| roi1: text
    $ get-names roi1
    1| ro:1
    $ list-image-data roi1
    1| key
    $ get-image-data ro:1 key
    1| hello, world
    $ diff -u -f out.tar rolayer
    $ changes rol1
    1| Add "/file"
    $ diffsize rol1
    1| 13
    $ mount rol1
    1| 
    2| mounting read/only store images is not allowed: called a write method on a read-only store while mounting rol1
    rc=1
    $ mount -j rol1
    1| [{"id":"rol1","mountpoint":"","error":"mounting read/only store images is not allowed: called a write method on a read-only store"}]
    rc=1
    $ mounted rol1
    2| layer not known checking if rol1 is mounted
    rc=1
    $ unmount rol1
    2| layer not known while unmounting rol1
    rc=1
    $ unmount roi1
    $ set-metadata -m x rol1
    2| identifier is not a layer, image, or container
    rc=1
    $ set-metadata -m x roi1
    2| identifier is not a layer, image, or container
    rc=1
    $ set-layer-data -f file rol1 key
    2| locating layer with ID "rol1" to write bigdata: layer not known
    rc=1
    $ set-image-data -f file roi1 key
    2| locating image with ID "roi1": image not known
    rc=1
    $ applydiff -f layer.tar rol1
    2| layer not known
    rc=1
    $ set-names -n other rol1
    2| layer not known
    rc=1
    $ create-layer --id rol1
    1| rol1
    $ create-layer -n rolayer
    1| <64>
    1| →rolayer
    $ create-image -n ro:1
    1| <64>
    1| →ro:1
    $ create-image --id roi1
    1| roi1
    1| →ro:1
    $ delete-layer rol1 rol2
    2| rol2: identifier is not a layer
    rc=1
    $ delete-image roi1
    $ delete rol1 roi1
    2| rol1: layer not known
    2| roi1: layer not known
    rc=1
    $ create-layer --id l2 rolayer
    1| l2
    $ create-image --id i2 rol2
    1| i2
    $ create-container --id c1 ro:1
    1| c1
    $ containers
    1| c1
    $ layers -t
    1| (base)
    1| ├─l1
    1| ├─<64>
    1| │ name: rolayer
    1| │ └─l2
    1| └─rol1
    1|   name: rolayer
    1|   └─rol2
    1|     image: i2
    1|     image: roi1
    1|     image name: ro:1
    1|     └─<64>
    1|       container: c1
    $ mount c1
    1vfs| /w/g/vfs/dir/<64>
    1overlay| /w/g/overlay/<64>/merged
    $ unmount c1
    1| c1 mountpoint unmounted
    $ add-names -n mine roi1
    $ images
    1| <64>
    1| i2
    1| roi1
    1| →name: mine
    1| →name: ro:1
    1| →data: key
    1| roi1
    1| →name: ro:1
    1| →data: key
    $ image mine
    1| ID: roi1
    1| Name: mine
    1| Name: ro:1
    1| Top Layer: rol2
    1| Data: key
    1| Size: 10253
    $ delete-container c1
    $ delete-image mine
    $ check
    $ wipe
    $ layers
    1| rol1
    1| →name: rolayer
    1| rol2
    1| →image: roi1
    1| →→name: ro:1
    $ images
    1| roi1
    1| →name: ro:1
    1| →data: key
    """#
}
