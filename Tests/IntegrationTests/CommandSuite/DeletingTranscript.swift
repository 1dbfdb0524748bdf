// SPDX-License-Identifier: Apache-2.0

extension SuiteTests {
  /// Deleting and wiping (cli 17).
  static let deleting = #"""
    $ create-layer --id l1 -n base
    1| l1
    1| →base
    $ create-layer --id l2 l1
    1| l2
    $ create-image --id i1 -n img l2
    1| i1
    1| →img
    $ create-image --id i2
    1| i2
    $ create-container --id c1 i1
    1| c1
    $ delete-layer l1
    2| l1: used by layer l2: layer has children
    rc=1
    $ deletelayer base
    2| base: used by layer l2: layer has children
    rc=1
    $ delete-layer -j l1 nope
    1| {"l1":"used by layer l2: layer has children","nope":"identifier is not a layer"}
    rc=1
    $ delete-layer nope
    2| nope: identifier is not a layer
    rc=1
    $ delete-image i1
    2| i1: image used by c1: image is in use by a container
    rc=1
    $ deleteimage -j i1 nope
    1| {"i1":{"error":"image used by c1: image is in use by a container"},"nope":{"error":"identifier is not an image"}}
    rc=1
    $ delete-image -j i2
    1| {"i2":{}}
    $ create-container -j --id c2 ''
    1| {"id":"c2","image":"","layer":"<64>",…
    $ container c2
    1| ID: c2
    1| Image: (nothing)
    1| Size: 0
    1| Layer: <64>
    $ delete-layer <64>
    2| <64>: layer <64> used by container c2: layer is in use by a container
    rc=1
    $ delete-container -j nope c2
    1| {"c2":"","nope":"identifier is not a container"}
    rc=1
    $ deletecontainer c1
    $ delete-container c1
    2| c1: identifier is not a container
    rc=1
    $ delete-layer l2
    2| l2: layer l2 used by image i1: layer is in use by an image
    rc=1
    $ delete-image -t i1
    2| i1: l2
    2| i1: l1
    $ delete-image -t -j i1
    1| {"i1":{"deleted-layers":["l2","l1"]}}
    $ delete-image img
    2| img: l2
    2| img: l1
    $ layers
    $ create-layer --id l5
    1| l5
    $ delete -j nope l5
    1| {"l5":"","nope":"layer not known"}
    rc=1
    $ delete nope
    2| nope: layer not known
    rc=1
    $ create-layer --id l6
    1| l6
    $ delete l6
    $ create-layer --id l7
    1| l7
    $ wipe -j
    1| ""
    $ wipe
    $ layers -j
    1| null
    """#.replacing("(nothing)", with: "")
}
