// SPDX-License-Identifier: Apache-2.0

import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// A black-box check at the end of a specification: a script in `Tests/Checks`, and a driver it is for.
struct SpecificationCheck: CustomTestStringConvertible, Sendable {
  /// Relative to `Tests/Checks`.
  let script: String
  let driver: String
  var testDescription: String { "\(script) on \(driver)" }

  /// All there are for a driver: a script that names no drivers is for overlay and vfs.
  static func all(for driver: String) throws -> [SpecificationCheck] {
    if !availableDrivers.contains(driver) { return [] }
    let top = repositoryFile("Tests/Checks")
    let listed = try shell("cd \(top) && for f in */*.sh; do echo $f $(sed -n 's/^# drivers: //p' $f); done")
    return listed.outputText.split(separator: "\n").compactMap { line -> SpecificationCheck? in
      let words = line.split(separator: " ").map(String.init)
      let drivers = words.count > 1 ? Array(words.dropFirst()) : ["overlay", "vfs"]
      return drivers.contains(driver) ? SpecificationCheck(script: words[0], driver: driver) : nil
    }
  }

  func run() throws {
    let scripts = repositoryFile("Tests/Checks")
    let command = "\(scripts)/run \(scripts)/\(script) \(driver) \(try stowageExecutable())"
    // Podman wants a short path.
    let volume = driver == "btrfs" ? try TemporaryDirectory("check", for: driver) : nil
    let result = try withExtendedLifetime(volume) { try shell("TMPDIR=\(volume?.path.string ?? "/tmp") \(command)") }
    #expect(result.isSuccess, "\(result)")
  }
}

@Suite("Checks of the specifications on overlay", .tags(.root, .interop, .slow)) struct OverlaySpecificationChecks {
  @Test(arguments: try SpecificationCheck.all(for: "overlay"))
  func `What a specification says can be seen from outside on overlay`(check: SpecificationCheck) throws {
    try check.run()
  }
}

@Suite("Checks of the specifications on vfs", .tags(.root, .interop, .slow)) struct VFSSpecificationChecks {
  @Test(arguments: try SpecificationCheck.all(for: "vfs"))
  func `What a specification says can be seen from outside on vfs`(check: SpecificationCheck) throws {
    try check.run()
  }
}

@Suite(
  "Checks of the specifications on btrfs", .tags(.root, .interop, .slow),
  .enabled(if: canMountBtrfs, "needs btrfs on a loop device"))
struct BtrfsSpecificationChecks {
  @Test(arguments: try SpecificationCheck.all(for: "btrfs"))
  func `What a specification says can be seen from outside on btrfs`(check: SpecificationCheck) throws {
    try check.run()
  }
}
