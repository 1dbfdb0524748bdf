// SPDX-License-Identifier: Apache-2.0

extension SuiteTests {
  /// Names, metadata and existence (cli 19).
  static let names = #"""
    ! printf 'notatar\n' > text
    $ create-layer --id l5 -n z1 -n z2
    1| l5
    1| →z1
    1| →z2
    $ create-layer --id l6
    1| l6
    $ get-names z1
    1| z1
    1| z2
    $ getnames -j l6
    1| []
    $ get-names nope
    2| layer not known
    rc=1
    $ add-names --json -n z3 -n z1 l5
    1| ["z3","z1","z2"]
    $ addnames -n z2 l6
    $ get-names -j l5
    1| ["z3","z1"]
    $ add-names -n x nope
    2| layer not known
    rc=1
    $ remove-names -j -n nosuch l5
    1| ["z3","z1"]
    $ removenames -n z3 l5
    $ remove-names -n z3 nope
    2| layer not known
    rc=1
    $ set-names -j -n q1 -n q2 -n q1 l5
    1| ["q1","q2"]
    $ setnames l5
    $ set-names -j l5
    1| null
    $ set-names -n x nope
    2| layer not known
    rc=1
    $ create-image --id i5 -f text
    1| i5
    $ add-names -j -n a -n b i5
    1| ["a","b"]
    $ image -j i5
    1| [{"id":"i5","names":["a","b"],"names-history":["b","a"],"metadata":"notatar\n","created":"…"}]
    $ metadata l5 nope i5
    1| l5: (nothing)
    1| nope: (nothing)
    1| i5: notatar
    rc=1
    $ metadata -q i5
    1| notatar
    $ metadata -j l5 nope i5
    1| {"i5":"notatar","l5":""}
    rc=1
    $ set-metadata -m hello l5
    $ setmetadata -f text l6
    $ metadata -q l5 l6
    1| hello
    1| notatar
    $ set-metadata l5
    2| no new metadata provided
    rc=1
    $ set-metadata -f /nonexistent l5
    2| open /nonexistent: no such file or directory
    rc=1
    $ set-metadata -m x nope
    2| identifier is not a layer, image, or container
    rc=1
    $ exists l5 nope
    1| l5: true
    1| nope: false
    rc=1
    $ exists -i l5
    1| l5: true
    rc=1
    $ exists -l l5
    1| l5: true
    $ exists -j nope l5
    1| {"l5":true,"nope":false}
    rc=1
    $ exists -q nope
    rc=1
    """#.replacing("(nothing)", with: "")
}
