// SPDX-License-Identifier: Apache-2.0

extension SuiteTests {
  /// Listing and examining layers (cli 13).
  static let layers = #"""
    $ layers
    $ layers -j
    1| null
    $ layers -t
    $ layers -q
    $ storage-layers
    $ storage-layers -j
    1| []
    $ layer nope
    rc=1
    $ layer --json nope
    1| []
    rc=1
    $ create-layer --json -n nm1 -n nm2 --id l1
    1| {"id":"l1","names":["nm1","nm2"],"created":"…"}
    $ create-layer --id l2 -n nx l1
    1| l2
    1| →nx
    $ create-layer --id lro -r -l label -j nm1
    1vfs| {"id":"lro","parent":"l1","mountlabel":"label","created":"…"}
    1overlay| {"id":"lro","parent":"l1","mountlabel":"label","created":"…"}
    $ create-image --id i1 -n img:1 l2
    1| i1
    1| →img:1
    $ create-container --id c1 -n cname i1
    1| c1
    1| →cname
    $ layers
    1| l1
    1| →name: nm1
    1| →name: nm2
    1| l2
    1| →name: nx
    1| →image: i1
    1| →→name: img:1
    1| lro
    1| <64>
    1| →container: c1
    1| →→name: cname
    $ layers -q
    1| l1
    1| l2
    1| lro
    1| <64>
    $ layers -t -q
    1| (base)
    1| └─l1
    1|   name: nm1
    1|   name: nm2
    1|   ├─l2
    1|   │ name: nx
    1|   │ image: i1
    1|   │ image name: img:1
    1|   │ └─<64>
    1|   │   container: c1
    1|   │   container name: cname
    1|   └─lro
    $ layers -t -q -j
    1| [{"id":"l1","names":["nm1","nm2"],"created":"…"},{"id":"l2","names":["nx"],"parent":"l1","created":"…"},…
    $ layer l2 nope nm1
    1| ID: l2
    1| Parent: l1
    1| Name: nx
    1| ID: l1
    1| Name: nm1
    1| Name: nm2
    rc=1
    $ layer -j nm nope nx
    1| [{"id":"l2","names":["nx"],"parent":"l1","created":"…"}]
    rc=1
    $ layer l
    rc=1
    $ layer lr
    1| ID: lro
    1| Parent: l1
    $ layer-parent-owners l1 nope
    1| ID: l1
    rc=1
    $ layer-parent-owners -j l1 nope l2
    1| {"ID":"l1","UIDs":null,"GIDs":null}
    1| {"ID":"l2","UIDs":null,"GIDs":null}
    rc=1
    $ delete l1
    $ layers -t
    1| l1
    1| ├─l2
    1| │ name: nx
    1| │ image: i1
    1| │ image name: img:1
    1| │ └─<64>
    1| │   container: c1
    1| │   container name: cname
    1| └─lro
    $ create-storage-layer --id s1
    1| s1
    """#
}
