// SPDX-License-Identifier: Apache-2.0

extension SuiteTests {
  /// Listing and examining images (cli 14).
  static let images = #"""
    $ images
    $ images -q
    $ images -j
    1| null
    $ image nope
    rc=1
    $ image -j nope
    1| []
    rc=1
    ! printf '{"a":1}\n' > item
    $ create-layer --id l1
    1| l1
    $ create-image -n img:1 --id i1 l1
    1| i1
    1| →img:1
    $ create-image -j --id i5 -f item -d sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    1| {"id":"i5","digest":"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","metadata":"{\"a\":1}\n","created":"…"}
    $ set-image-data -f item i1 manifest
    $ set-image-data i1 key/odd <item
    $ images
    1| i1
    1| →name: img:1
    1| →digest: sha256:e346432021b04179518d9614f3560ccd71354a4ee101ddcb893d6959a9d6301c
    1| →data: manifest
    1| →data: key/odd
    1| i5
    1| →digest: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    $ images --quiet
    1| i1
    1| i5
    $ images -q -j
    1| [{"id":"i1",…
    $ image i1 i5 nope
    1| ID: i1
    1| Name: img:1
    1| Top Layer: l1
    1| Digest: sha256:e346432021b04179518d9614f3560ccd71354a4ee101ddcb893d6959a9d6301c
    1| Data: manifest
    1| Data: key/odd
    1| Size: 16
    1| ID: i5
    1| Top Layer: (nothing)
    1| Digest: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    1| Size: 0
    rc=1
    $ image i
    rc=1
    $ image -j img:1 nope i5
    1| [{"id":"i1","digest":"sha256:e346432021b04179518d9614f3560ccd71354a4ee101ddcb893d6959a9d6301c","names":["img:1"],…
    rc=1
    $ images-by-digest sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    1| i5
    1| →digest: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    $ images-by-digest -q sha256:e346432021b04179518d9614f3560ccd71354a4ee101ddcb893d6959a9d6301c
    1| i1
    $ images-by-digest sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
    $ images-by-digest -j sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
    1| []
    $ images-by-digest bogus
    2| invalid checksum digest format
    rc=1
    $ images-by-digest sha256:zz
    2| invalid checksum digest length
    rc=1
    $ images-by-digest -j foo:aa
    2| unsupported digest algorithm
    rc=1
    """#.replacing("(nothing)", with: "")
}
