// SPDX-License-Identifier: Apache-2.0

extension SuiteTests {
  /// ID maps (cli 16.1, 13.2, 13.4), first where the kernel may shift owners, then where files must have them.
  static let mapping = #"""
    ! mkdir d && printf 'hello, world\n' > d/file && chown 7:8 d/file && tar --numeric-owner --mtime=@0 -C d -cf layer.tar file
    $ create-layer --id s1 --uidmap 0:100000:65536 --gidmap 0:100000:65536 -j
    1vfs| {"id":"s1","created":"…","uidmap":[{"container_id":0,"host_id":100000,"size":65536}],"gidmap":[{"container_id":0,"host_id":100000,"size":65536}]}
    1overlay| {"id":"s1","created":"…"}
    $ delete-layer s1
    export _CONTAINERS_OVERLAY_DISABLE_IDMAP=yes
    $ create-layer --id l1 --uidmap 0:100000:65536 --gidmap 0:200000:65536 -j
    1| {"id":"l1","created":"…","uidmap":[{"container_id":0,"host_id":100000,"size":65536}],"gidmap":[{"container_id":0,"host_id":200000,"size":65536}]}
    $ layer l1
    1| ID: l1
    1| UID mapping: (container=0, host=100000, size=65536)
    1| GID mapping: (container=0, host=200000, size=65536)
    $ layer -j l1
    1| [{"id":"l1","created":"…","uidmap":[{"container_id":0,"host_id":100000,"size":65536}],"gidmap":[{"container_id":0,"host_id":200000,"size":65536}]}]
    $ import-layer --id l2 -j --uidmap 0:100000:65536 --gidmap 0:200000:65536 -f layer.tar l1
    1| {"id":"l2","parent":"l1","created":"…","compressed-diff-digest":"sha256:<64>","compressed-size":10240,"diff-digest":"sha256:<64>","diff-size":10240,"uidset":[7],"gidset":[8],"uidmap":[{"container_id":0,"host_id":100000,"size":65536}],"gidmap":[{"container_id":0,"host_id":200000,"size":65536}]}
    $ create-layer --id l3 --uidmap 0:1:2:5:6:7 --gidmap 0:1:1
    1| l3
    $ layer l3
    1| ID: l3
    1| UID mapping: (container=0, host=1, size=2)
    1| UID mapping: (container=5, host=6, size=7)
    1| GID mapping: (container=0, host=1, size=1)
    $ create-layer --id l4 --uidmap 0:1:0 --gidmap 0:1:1
    2| creating read-write layer with ID "l4": container ID 0 cannot be mapped to a host ID
    rc=1
    $ create-layer --id l4 --uidmap 0:1:2:3
    2| initializing ID mappings: uid setting is malformed expected ["uint32:uint32:uint32"]: ["0:1:2:3"]
    rc=1
    $ create-layer --id l4 --uidmap 0:4294967296:1
    2| initializing ID mappings: uid setting is malformed expected ["uint32:uint32:uint32"]: ["0:4294967296:1"]
    rc=1
    $ create-layer --id l4 --hostuidmap --hostgidmap l1
    1| l4
    $ layer l4
    1| ID: l4
    1| Parent: l1
    $ create-layer --id l5 l1
    1| l5
    $ layer l5
    1| ID: l5
    1| UID mapping: (container=0, host=100000, size=65536)
    1| GID mapping: (container=0, host=200000, size=65536)
    1| Parent: l1
    $ create-layer --id l6 --hostgidmap --gidmap 0:1:1
    2| host gid map specified along with GID mapping
    rc=1
    $ import-layer --id l7 --uidmap 0:1:1 --gidmap 0:1:1 -f layer.tar
    2overlay| unpacking failed (error: exit status 1; output: container ID 7 cannot be mapped to a host ID)
    2vfs| time="…" level=error msg="While applying layer: ApplyLayer stdout:  stderr: container ID 7 cannot be mapped to a host ID exit status 1"
    2vfs| ApplyLayer stdout:  stderr: container ID 7 cannot be mapped to a host ID exit status 1
    rc=1
    $ exists -l l7
    1| l7: false
    rc=1
    $ layer-parent-owners l1
    2| LayerParentOwner: layer is not mounted
    rc=1
    $ layer-parent-owners -j l1
    2| LayerParentOwner: layer is not mounted
    rc=1
    $ mount l2
    1vfs| /w/g/vfs/dir/l2
    1overlay| /w/g/overlay/l2/merged
    $ layer-parent-owners l2 l1
    1| ID: l2
    1| UIDs: [0]
    1| GIDs: [0]
    2| LayerParentOwner: layer is not mounted
    rc=1
    $ layer-parent-owners -j l2
    1| {"ID":"l2","UIDs":[0],"GIDs":[0]}
    $ unmount l2
    1| l2 mountpoint unmounted
    $ changes l2
    1| Add "/file"
    $ diff -u -f out.tar l2
    ! cmp layer.tar out.tar
    $ import-layer --id base -f layer.tar
    1| base
    $ create-image --id i1 base
    1| i1
    $ create-container --id c1 --uidmap 0:100000:10 --gidmap 0:100000:10 -j i1
    1| {"id":"c1","image":"i1","layer":"<64>","created":"…","uidmap":[{"container_id":0,"host_id":100000,"size":10}],"gidmap":[{"container_id":0,"host_id":100000,"size":10}],"flags":{"MountLabel":"","ProcessLabel":""}}
    $ container c1
    1| ID: c1
    1| Image: i1
    1| Size: 0
    1| Layer: <64>
    $ container-parent-owners c1
    2| ContainerParentOwner: layer is not mounted
    rc=1
    $ container-parent-owners -j c1
    2| ContainerParentOwner: layer is not mounted
    rc=1
    $ image i1
    1| ID: i1
    1| Top Layer: base
    1| Top Layer: <64>
    1| Size: 20480
    $ layers -t
    1| (base)
    1| ├─l1
    1| │ ├─l2
    1| │ ├─l4
    1| │ └─l5
    1| ├─l3
    1| ├─base
    1| │ image: i1
    1| └─<64>
    1|   image: i1
    1|   └─<64>
    1|     container: c1
    $ mount c1
    1vfs| /w/g/vfs/dir/<64>
    1overlay| /w/g/overlay/<64>/merged
    $ container-parent-owners c1
    1| ID: c1
    1| UIDs: [0]
    1| GIDs: [0]
    $ container-parent-owners -j c1
    1| {"ID":"c1","UIDs":[0],"GIDs":[0]}
    $ unmount c1
    1| c1 mountpoint unmounted
    $ delete-image -t i1
    2| i1: image used by c1: image is in use by a container
    rc=1
    $ create-container --id c2 --uidmap 0:100000:2 --gidmap 0:100000:2 i1
    1| c2
    $ create-container --id c3 --hostuidmap --hostgidmap i1
    1| c3
    $ container c3
    1| ID: c3
    1| Image: i1
    1| Size: 0
    1| Layer: <64>
    $ delete-container c1 c3
    $ delete-image -t -j i1
    1| {"i1":{"error":"image used by c2: image is in use by a container"}}
    rc=1
    $ delete-image i1
    2| i1: image used by c2: image is in use by a container
    rc=1
    """#
}
