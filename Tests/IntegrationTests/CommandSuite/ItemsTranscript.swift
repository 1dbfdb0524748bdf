// SPDX-License-Identifier: Apache-2.0

extension SuiteTests {
  /// Big data items and directories (cli 20).
  static let items = """
    ! printf '{"a":1}\\n' > item
    $ create-layer --id l1
    1| l1
    $ create-image --id i1 -n img:1
    1| i1
    1| →img:1
    $ create-container --id c1 -n cname i1
    1| c1
    1| →cname
    \(["layer l1", "image i1", "container c1"].map(items(of:)).joined(separator: "\n"))
    $ get-layer-data nope k1
    2| layer not known
    rc=1
    $ set-layer-data -f item nope k1
    2| layer not known
    rc=1
    $ list-layer-data nope
    2| layer not known
    rc=1
    $ get-layer-data l1 nok
    2| locating item named "nok" for layer with ID "l1": file does not exist
    rc=1
    $ set-layer-data l1 ''
    2| can't set empty name for layer big data item: not a valid name for a big data item
    rc=1
    $ get-image-data nope k1
    2| locating image with ID "nope": image not known
    rc=1
    $ set-image-data -f item nope k1
    2| locating image with ID "nope": image not known
    rc=1
    $ list-image-data nope
    2| locating image with ID "nope": image not known
    rc=1
    $ get-image-data i1 nok
    2| locating item named "nok" for image with ID "i1" (consider removing the image to resolve the issue): file does not exist
    rc=1
    $ set-image-data i1 ''
    2| can't set empty name for image big data item: not a valid name for a big data item
    rc=1
    $ get-container-data nope k1
    2| container not known
    rc=1
    $ set-container-data -f item nope k1
    2| container not known
    rc=1
    $ list-container-data nope
    2| container not known
    rc=1
    $ get-container-data c1 nok
    2| open /w/g/<driver>-containers/c1/nok: no such file or directory
    rc=1
    $ set-container-data c1 ''
    2| can't set empty name for container big data item: not a valid name for a big data item
    rc=1
    $ get-container-data-size c1 ''
    2| can't retrieve size of container big data with empty name: not a valid name for a big data item
    rc=1
    $ get-container-data-digest c1 ''
    2| can't retrieve digest of container big data value with empty name: not a valid name for a big data item
    rc=1
    \(["image i1", "container c1"].map(sizes(of:)).joined(separator: "\n"))
    \(["", "-run"].map(directories).joined(separator: "\n"))
    """

  /// What items of all kinds have in common.
  private static func items(of object: String) -> String {
    let words = object.split(separator: " ")
    let (kind, id) = (words[0], words[1])
    return """
      $ list-\(kind)-data \(id)
      $ list\(kind)data -j \(id)
      1| null
      $ set-\(kind)-data -f item \(id) k1
      $ set\(kind)data \(id) key/odd <item
      $ set-\(kind)-data -f /nonexistent \(id) k1
      2| open /nonexistent: no such file or directory
      rc=1
      $ list-\(kind)-data \(id)
      1| k1
      1| key/odd
      $ list-\(kind)-data -j \(id)
      1| ["k1","key/odd"]
      $ get-\(kind)-data \(id) k1
      1| {"a":1}
      $ get\(kind)data -f out \(id) key/odd
      ! cmp out item
      """
  }

  private static func sizes(of object: String) -> String {
    let words = object.split(separator: " ")
    let (kind, id) = (words[0], words[1])
    return """
      $ get-\(kind)-data-size \(id) k1
      1| 8
      $ get\(kind)datasize \(id) nok
      2| size is not known
      rc=1
      $ get-\(kind)-data-digest \(id) k1
      1| sha256:e346432021b04179518d9614f3560ccd71354a4ee101ddcb893d6959a9d6301c
      $ get\(kind)datadigest \(id) nok
      2| could not compute digest of item
      rc=1
      """
  }

  private static func directories(_ run: String) -> String {
    let (root, alias) = (run.isEmpty ? "/w/g" : "/w/r", run.isEmpty ? "dir" : "rundir")
    return """
      $ get-container\(run)-dir cname
      1| \(root)/<driver>-containers/c1/userdata
      $ getcontainer\(alias) nope
      2| container not known
      rc=1
      $ get-image\(run)-dir i1
      1| \(root)/<driver>-images/i1/userdata
      $ getimage\(alias) i1
      1| \(root)/<driver>-images/i1/userdata
      """
  }
}
