// SPDX-License-Identifier: Apache-2.0

extension SuiteTests {
  /// Listing and examining containers (cli 15).
  static let containers = #"""
    $ containers
    $ containers --json
    1| []
    $ container nope
    rc=1
    $ container -j nope
    1| []
    rc=1
    ! printf 'abc' > item
    $ create-layer --id l1
    1| l1
    $ create-image -n img:1 --id i1 l1
    1| i1
    1| →img:1
    $ create-container --id c1 -n cname -m '{"x":"<&>"}' i1
    1| c1
    1| →cname
    $ create-container --json --id c2 -n c2a -n c2b --volatile img:1
    1| {"id":"c2","names":["c2a","c2b"],"image":"i1","layer":"<64>","created":"…","flags":{"MountLabel":"","ProcessLabel":"","Volatile":true}}
    $ create-container --json --id c4 ''
    1| {"id":"c4","image":"","layer":"<64>","created":"…","flags":{"MountLabel":"","ProcessLabel":""}}
    $ container <64>
    1| ID: c4
    1| Image: (nothing)
    1| Size: 0
    1| Layer: <64>
    $ set-container-data -f item c1 k1
    $ set-container-data c1 k2 <item
    $ containers
    1| c1
    1| →name: cname
    1| →data: k1
    1| →data: k2
    1| c4
    1| c2
    1| →name: c2a
    1| →name: c2b
    $ containers -j
    1| [{"id":"c1","names":["cname"],"image":"i1","layer":"<64>","metadata":"{\"x\":\"\u003c\u0026\u003e\"}",…
    $ container c1 nope cname
    1| ID: c1
    1| Name: cname
    1| Image: i1
    1| Image name: img:1
    1| Size: 6
    1| Layer: <64>
    1| Data: k1
    1| Data: k2
    1| ID: c1
    1| Name: cname
    1| Image: i1
    1| Image name: img:1
    1| Size: 6
    1| Layer: <64>
    1| Data: k1
    1| Data: k2
    rc=1
    $ container c
    rc=1
    $ container -j nope c4
    1| [{"id":"c4","image":"","layer":"<64>","created":"…","flags":{"MountLabel":"","ProcessLabel":""}}]
    rc=1
    $ container-parent-owners c1 nope c4
    1| ID: c1
    1| UIDs: []
    1| GIDs: []
    1| ID: c4
    1| UIDs: []
    1| GIDs: []
    rc=1
    $ container-parent-owners -j nope c1
    1| {"ID":"c1","UIDs":null,"GIDs":null}
    rc=1
    """#.replacing("(nothing)", with: "")
}
