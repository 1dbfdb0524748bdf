// SPDX-License-Identifier: Apache-2.0

extension SuiteTests {
  /// Creating (cli 16).
  static let creating = #"""
    ! printf 'hello, world\n' > file && tar --owner=0 --group=0 -cf layer.tar file && printf 'notatar\n' > bad
    $ createlayer
    1| <64>
    $ create-layer -j --id l1 -n nm1
    1| {"id":"l1","names":["nm1"],"created":"…"}
    $ create-layer --id l1
    2| that ID is already in use
    rc=1
    $ create-layer -j -n nm1
    2| that name is already in use
    rc=1
    $ create-layer --id l3 nope
    2| layer not known
    rc=1
    $ create-layer --hostuidmap --uidmap 0:1:1
    2| host uid map specified along with UID mapping
    rc=1
    $ create-layer --hostgidmap --subgidmap nosuch
    2| host gid map specified along with GID mapping
    rc=1
    $ create-layer --uidmap 0:1
    2| initializing ID mappings: uid setting is malformed expected ["uint32:uint32:uint32"]: ["0:1"]
    rc=1
    $ create-layer --gidmap 0:1:x
    2| initializing ID mappings: gid setting is malformed expected ["uint32:uint32:uint32"]: ["0:1:x"]
    rc=1
    $ create-layer --subuidmap no-such-user
    2| no subuid ranges found for user "no-such-user" in /etc/subuid
    rc=1
    $ import-layer --id t1 -n imported -f layer.tar l1
    1| t1
    1| →imported
    $ importlayer --id t2 -j <layer.tar
    1| {"id":"t2","created":"…","compressed-diff-digest":"sha256:<64>","compressed-size":10240,"diff-digest":"sha256:<64>","diff-size":10240,"uidset":[0],"gidset":[0]}
    $ import-layer --id t3 -j
    1| {"id":"t3","created":"…","compressed-diff-digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","diff-digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}
    $ import-layer --id t4 -f /nonexistent
    2| open /nonexistent: no such file or directory
    rc=1
    $ import-layer --id t4 -f bad
    2vfs| time="…" level=error msg="While applying layer: ApplyLayer stdout:  stderr: unexpected EOF exit status 1"
    2vfs| ApplyLayer stdout:  stderr: unexpected EOF exit status 1
    2overlay| unpacking failed (error: exit status 1; output: unexpected EOF)
    2overlay| exhausting input failed (error: unexpected EOF)
    rc=1
    $ import-layer --id t1 -f layer.tar
    2| that ID is already in use
    rc=1
    $ import-layer -f layer.tar nope
    2| layer not known
    rc=1
    $ exists t4
    1| t4: false
    rc=1
    $ create-storage-layer --id s1
    1| s1
    $ create-storage-layer --id s2 -j s1
    1| "s2"
    $ create-storage-layer --id s3 nope
    2vfs| Stat /w/g/vfs/dir/nope: no such file or directory
    2overlay| stat /w/g/overlay/nope/diff: no such file or directory
    rc=1
    $ create-image -n img:1 --id i1 t1
    1| i1
    1| →img:1
    $ createimage -j --id i2 -m text
    1| {"id":"i2","metadata":"text","created":"…"}
    $ create-image --id i1
    2| an image with ID "i1" already exists: that ID is already in use
    rc=1
    $ create-image -n img:1
    2| image name "img:1" is already associated with image "i1": that name is already in use
    rc=1
    $ create-image -j nope
    2| layer not known
    rc=1
    $ create-image -d sha256:aaaa t1
    2| validating digests for new image: validating image digest "sha256:aaaa": invalid checksum digest length
    rc=1
    $ create-image -d bogus t1
    2| validating digests for new image: validating image digest "bogus": invalid checksum digest format
    rc=1
    $ create-image -f /nonexistent
    2| open /nonexistent: no such file or directory
    rc=1
    $ create-container --id c1 -n cname i1
    1| c1
    1| →cname
    $ createcontainer img:1
    1| <64>
    $ create-container -j --id c2 -n c2a -n c2b --volatile -m one -f file img:1
    1| {"id":"c2","names":["c2a","c2b"],"image":"i1","layer":"<64>","metadata":"hello, world\n","created":"…","flags":{"MountLabel":"","ProcessLabel":"","Volatile":true}}
    $ create-layer <64>
    2| would-be parent layer is a container
    rc=1
    $ import-layer -f layer.tar <64>
    2| would-be parent layer is a container
    rc=1
    $ create-container -j --id c4 ''
    1| {"id":"c4","image":"","layer":"<64>","created":"…","flags":{"MountLabel":"","ProcessLabel":""}}
    $ create-container --id c3 nope
    2| locating image with ID "nope": image not known
    rc=1
    $ create-container -j --id c1 i1
    2| that ID is already in use
    rc=1
    $ create-container -n cname i1
    2| the container name "cname" is already in use by c1. You have to remove that container to be able to reuse that name: that name is already in use
    rc=1
    $ create-container -f /nonexistent i1
    2| open /nonexistent: no such file or directory
    rc=1
    $ create-container --uidmap 0:1 i1
    2| initializing ID mappings: uid setting is malformed expected ["uint32:uint32:uint32"]: ["0:1"]
    rc=1
    """#
}
