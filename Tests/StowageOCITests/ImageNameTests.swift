// SPDX-License-Identifier: Apache-2.0

import StowageImage
import StowageModel
import Testing

@testable import StowageOCI

/// Expected values: what Podman 4.3.1 makes of these names in an OCI archive's annotation.
@Suite("Names of images") struct ImageNameTests {
  @Test(arguments: [
    ("myname", "localhost/myname:latest"),
    ("myname:1", "localhost/myname:1"),
    ("my.image", "localhost/my.image:latest"),
    ("foo.bar/x", "foo.bar/x:latest"),
    ("foo/bar", "localhost/foo/bar:latest"),
    ("localhost/x", "localhost/x:latest"),
    ("localhost:5000/x", "localhost:5000/x:latest"),
    ("docker.io/x", "docker.io/library/x:latest"),
    ("docker.io/library/x:1", "docker.io/library/x:1"),
    ("docker.io/a/b", "docker.io/a/b:latest"),
    ("index.docker.io/x", "docker.io/library/x:latest"),
    ("Foo.com/x", "Foo.com/x:latest"),
    ("foo_bar.baz/x", "localhost/foo_bar.baz/x:latest"),
    ("foo:5000/x:y", "foo:5000/x:y"),
    (
      "0152994d106007618f94d78592973b093ec664c76b1078925da99ac5508053f5",
      "localhost/0152994d106007618f94d78592973b093ec664c76b1078925da99ac5508053f5:latest"
    ),
  ])
  func `A name is completed as Podman completes it`(name: String, expected: String) throws {
    #expect(try ImageName(normalizing: name).description == expected)
  }

  @Test(arguments: [
    "", "Foo", "localhost/Foo", "x:tag with space", "x:", "a//b", "FOO/bar", "[::1]:5000/x", "x:-y", "/x", "x/", "a..b",
    "a._b", "-a", "a-", "a___b", "x@sha256:12", "x@", "localhost/", String(repeating: "a", count: 250),
    "x:" + String(repeating: "t", count: 129), "x\u{0}y", "é",
  ])
  func `What Podman refuses is refused`(name: String) {
    let error = #expect(throws: StorageError.self) { try ImageName(normalizing: name) }
    #expect(error?.code == .invalidReference)
  }

  @Test func `A digest takes the place of the tag`() throws {
    let digest = "sha256:0152994d106007618f94d78592973b093ec664c76b1078925da99ac5508053f5"
    #expect(try ImageName(normalizing: "a:t@\(digest)").description == "localhost/a@\(digest)")
    #expect(try ImageName(normalizing: "quay.io/a@\(digest)").description == "quay.io/a@\(digest)")
  }

  @Test func `An upper-case letter is named as the reason`() {
    let error = #expect(throws: StorageError.self) { try ImageName(normalizing: "localhost/Foo") }
    #expect(error?.message == #"image name "localhost/Foo": repository name must be lowercase"#)
  }

  @Test(arguments: [("x:1", true), ("x", false), ("localhost:5000/x", false), ("localhost:5000/x:1", true)])
  func `A port is no tag`(name: String, expected: Bool) {
    #expect(ImageName.isTagged(name) == expected)
  }
}
