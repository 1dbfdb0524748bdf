// SPDX-License-Identifier: Apache-2.0

import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// The black-box checks at the end of each specification, as scripts in `Tests/Checks`.
@Suite("Checks of the specifications", .tags(.root, .interop)) struct SpecificationChecks {
  /// A script and a driver it is for.
  struct Check: CustomTestStringConvertible, Sendable {
    /// Relative to `Tests/Checks`.
    let script: String
    let driver: String
    var testDescription: String { "\(script) on \(driver)" }

    /// All there are: a script that names no drivers is for overlay and vfs.
    static func all() throws -> [Check] {
      let top = repositoryFile("Tests/Checks")
      let listed = try shell("cd \(top) && for f in */*.sh; do echo $f $(sed -n 's/^# drivers: //p' $f); done")
      return listed.outputText.split(separator: "\n").flatMap { line -> [Check] in
        let words = line.split(separator: " ").map(String.init)
        let drivers = words.count > 1 ? Array(words.dropFirst()) : ["overlay", "vfs"]
        return drivers.filter(availableDrivers.contains).map { Check(script: words[0], driver: $0) }
      }
    }
  }

  @Test(.tags(.driver, .slow), arguments: try Check.all())
  func `What a specification says can be seen from outside`(check: Check) throws {
    let scripts = repositoryFile("Tests/Checks")
    let command = "\(scripts)/run \(scripts)/\(check.script) \(check.driver) \(try stowageExecutable())"
    // Podman wants a short path.
    let volume = check.driver == "btrfs" ? try TemporaryDirectory("check", for: check.driver) : nil
    let result = try withExtendedLifetime(volume) { try shell("TMPDIR=\(volume?.path.string ?? "/tmp") \(command)") }
    #expect(result.isSuccess, "\(result)")
  }
}
