// SPDX-License-Identifier: Apache-2.0

import StowageTestSupport
import SystemPackage

/// The image of `scripts/make-demo-image`, made once for all tests of a run.
enum DemoImage {
  /// Folder with `demo-docker-archive.tar` and `demo-oci-archive.tar`.
  private static let folder: Result<TemporaryDirectory, any Error> = Result {
    let directory = try TemporaryDirectory("demo-image")
    let made = try run([repositoryFile("scripts/make-demo-image").string, directory.path.string])
    guard made.isSuccess else { throw FixtureError(text: "make-demo-image: \(made)") }
    return directory
  }

  static func dockerArchive() throws -> String { try folder.get().path.string + "/demo-docker-archive.tar" }
  static func ociArchive() throws -> String { try folder.get().path.string + "/demo-oci-archive.tar" }
}
